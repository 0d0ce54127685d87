"""`python -m confesslens` is the command line."""

from confesslens.cli import app

app()
