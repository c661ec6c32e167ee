"""The command line: what an operator does at the machine. A command parses, calls one action, reports."""

from anshang.cli import crowd, dispatch, journal, people, place
from anshang.cli.installing import app

app.add_typer(journal.app, name="journal")
app.add_typer(place.app, name="place")
app.add_typer(crowd.app, name="crowd")
app.add_typer(dispatch.app, name="dispatch")
app.add_typer(people.app, name="people")

__all__ = ["app"]
