"""`python -m anshang` is the command line."""

from anshang.cli import app

if __name__ == "__main__":
    app()
