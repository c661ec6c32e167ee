"""What happened, and the proof that nobody changed it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from anshang.cli.terminal import DataFolder, complain, installation, say
from anshang.drills import store as drills_store
from anshang.foundation.database import Database
from anshang.foundation.ids import is_drill
from anshang.journal import actions as journal
from anshang.journal import store as journal_store
from anshang.journal.model import EVERYWHERE, Fault
from anshang.places import store as places_store

app = typer.Typer(no_args_is_help=True, help="What happened, and the proof that nobody changed it.")


@app.callback()
def _journal() -> None:
    """What happened, and the proof that nobody changed it."""


@app.command("verify")
def journal_verify(
    data: DataFolder = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Print the chain as it was sealed on a day.")
    ] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(
            help="A value written down (16 characters or more): it must be in a chain, with --on, then."
        ),
    ] = None,
) -> None:
    """Recompute the chain of every entry and every seal; exit code 1 when one byte was changed, a seal is
    missing, or an expected value is not there.
    """
    day = None if on is None else on.date()
    with installation(data) as (_settings, database):
        faults = report_journal(database, day)
        districts = _districts(database)
        with database.reading(districts) as connection:
            for value in expect or ():
                proved = journal.is_proved(connection, districts, value, day)
                faults += _report_expected(value, proved=proved)
    raise typer.Exit(1 if faults else 0)


def report_journal(database: Database, on: date | None = None) -> int:
    """Verify every district's journal, print what was found (the chain now, or as it was sealed on a day),
    and return how many faults there are.
    """
    fault_count = 0
    for district_id in _districts(database):
        with database.reading([district_id]) as connection:
            faults = journal.verify(connection, district_id)
            seals = journal_store.list_seals(connection, district_id)
            last_seq, last = journal_store.last_link(connection, district_id)
            sealed = None if on is None else journal_store.find_seal(connection, district_id, on)
        if last_seq == 0 and not is_drill(district_id):
            faults = [Fault(district_id, 0, "no entry is left: the journal was removed")]
        for fault in faults:
            complain(f"[red]{fault.district_id} #{fault.seq}: {fault.reason}[/red]")
        if not faults:
            say(f"{district_id}: whole 完整; {len(seals)} days sealed 天已封存; {last}")
        if on is not None:
            say(f"{district_id}: {on}: {sealed.chain if sealed else 'not sealed 未封存'}")
        fault_count += len(faults)
    return fault_count


def _report_expected(value: str, *, proved: bool) -> int:
    """Say whether the value is in the chain; how many faults that makes."""
    if proved:
        say(f"{value}: in the chain 与日志相符")
        return 0
    complain(f"[red]{value}: not in the chain, or not of that day[/red] 与日志不符")
    return 1


def _districts(database: Database) -> list[str]:
    """The installation's journal, those of the districts, and those of drills, which outlast their copies."""
    with database.reading([EVERYWHERE]) as connection:
        there = places_store.list_district_ids(connection)
    with database.reading(there) as connection:
        copies = [copy_id for one in there for copy_id in drills_store.list_copy_ids(connection, one)]
    return list(dict.fromkeys((EVERYWHERE, *there, *copies)))
