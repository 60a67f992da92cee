"""`python -m proveout` is the `proveout` command."""

from proveout.faces.cli.main import main

if __name__ == "__main__":
    main()
