import sys

if sys.version_info < (3, 11):  # noqa: UP036 (an older one, even Python 2, may start this)
    sys.exit("efficientlab needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")

from pathlib import Path

if not __package__:  # started as `python PATH/efficientlab`, from any folder
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from efficientlab.cli import main

main()
