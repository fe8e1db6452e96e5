"""`python -m onlooker`: the command, for launchers that start modules."""

from onlooker.cli.app import main

if __name__ == "__main__":
    main()
