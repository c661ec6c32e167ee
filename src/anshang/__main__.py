"""`python -m anshang` is the command line."""

from anshang.cli import app

app()
