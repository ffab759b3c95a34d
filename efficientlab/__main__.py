import sys
from pathlib import Path

if not __package__:  # started as `python PATH/efficientlab`, from any folder
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from efficientlab.cli import main

main()
