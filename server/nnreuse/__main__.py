"""`python -m nnreuse`."""

from nnreuse.cli.main import main

if __name__ == "__main__":
    main()
