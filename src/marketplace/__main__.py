"""`python -m marketplace` is the same program as the `marketplace` command."""

from marketplace.entrypoints.cli.main import main

if __name__ == "__main__":
    main()
