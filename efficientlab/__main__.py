from efficientlab.cli import main

main()
