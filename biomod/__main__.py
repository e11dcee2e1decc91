"""``python -m biomod``: the command line."""

from biomod.cli import main

if __name__ == "__main__":
    main()
