"""What happened, and the proof that nobody changed it."""

from __future__ import annotations

import typer

from anshang.cli.terminal import DataFolder, complain, installation, say
from anshang.foundation.database import Database
from anshang.journal import actions as journal
from anshang.journal import store as journal_store
from anshang.journal.model import EVERYWHERE
from anshang.places import store as places_store

app = typer.Typer(no_args_is_help=True, help="What happened, and the proof that nobody changed it.")


@app.callback()
def _journal() -> None:
    """What happened, and the proof that nobody changed it."""


@app.command("verify")
def journal_verify(data: DataFolder = None) -> None:
    """Recompute the chain of every entry and every seal; exit code 1 when one byte was changed."""
    with installation(data) as (_settings, database):
        faults = report_journal(database)
    raise typer.Exit(1 if faults else 0)


def report_journal(database: Database) -> int:
    """Verify every district's journal, print what was found, and return how many faults there are."""
    fault_count = 0
    with database.reading([EVERYWHERE]) as connection:
        districts = [EVERYWHERE, *places_store.list_district_ids(connection)]
    for district_id in districts:
        with database.reading([district_id]) as connection:
            faults = journal.verify(connection, district_id)
            seals = journal_store.list_seals(connection, district_id)
            _seq, last = journal_store.last_link(connection, district_id)
        for fault in faults:
            complain(f"[red]{fault.district_id} #{fault.seq}: {fault.reason}[/red]")
        if not faults:
            say(f"{district_id}: whole; {len(seals)} days sealed; {last}")
        fault_count += len(faults)
    return fault_count
