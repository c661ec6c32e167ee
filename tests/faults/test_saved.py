"""A back-up taken in the middle of the work is a whole installation: what was acknowledged before it began is in it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.conftest import DISTRICT
from tests.faults.conftest import GATES, Installation, kept_keys, keys_of, rows, run, serve

from anshang.foundation import ids
from anshang.journal import store as journal
from anshang.matters.model import MatterEvent

ROWS_A_BATCH = 100
BACKUPS = 3
Key = tuple[str, int]


class Work:
    """A gateway that delivers and a desk that writes, until they are stopped."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._desk = installation.signed_in()
        self.sent: set[Key] = set()
        self.acknowledged: set[Key] = set()
        self.matters: set[str] = set()
        self.refusals: list[str] = []
        self._enough = threading.Event()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._deliver), threading.Thread(target=self._write)]

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()
        assert self._enough.wait(20), self.refusals

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _deliver(self) -> None:
        with self._installation.feed() as feed:
            for first in range(0, 100_000, ROWS_A_BATCH):
                batch = rows(GATES[0], first, ROWS_A_BATCH)
                self.sent.update(keys_of(batch))
                answer = feed.post("/api/observations", json={"observations": batch})
                if answer.status_code != 200 or answer.json()["taken"] != ROWS_A_BATCH:
                    self.refusals.append(answer.text)
                self.acknowledged.update(keys_of(batch))
                if len(self.acknowledged) >= 20 * ROWS_A_BATCH and len(self.matters) >= 3:
                    self._enough.set()
                if self._stop.is_set():
                    return

    def _write(self) -> None:
        while not self._stop.is_set():
            told = {"id": ids.new_id(), "kind": "note", "priority": 4, "text": "x"}
            answer = self._desk.post("/api/matters", json=told)
            if answer.status_code != 200:
                self.refusals.append(answer.text)
            self.matters.add(str(told["id"]))


@pytest.mark.slow
def test_backups_taken_while_counts_arrive_and_people_write_are_whole(
    installation: Installation, tmp_path: Path
) -> None:
    server = serve(installation)
    work = Work(installation)
    saved: list[tuple[Path, set[Key], set[str]]] = []
    try:
        work.begin()
        for n in range(BACKUPS):
            target = tmp_path / f"saved{n}.tar.gz"
            rows_before, matters_before = set(work.acknowledged), set(work.matters)
            run("backup", str(target), "--data", str(installation.folder))
            saved.append((target, rows_before, matters_before))
    finally:
        work.end()
        server.terminate()
        server.wait(15)
    assert work.refusals == []
    assert saved[0][1] < saved[-1][1]  # they did go on meanwhile
    for n, (target, rows_before, matters_before) in enumerate(saved):
        back = Installation(tmp_path / f"back{n}")
        said = run("restore", str(target), "--data", str(back.folder))
        assert f"{DISTRICT}: whole" in said
        back.assert_sound()
        kept = set(kept_keys(back.folder))
        assert rows_before <= kept <= work.sent
        assert len(kept) % ROWS_A_BATCH == 0  # no batch is there by half
        assert matters_before <= opened(back) <= work.matters


def opened(installation: Installation) -> set[str]:
    """The notes whose opening stands in the journal; the engine opens matters of its own."""
    database = installation.database()
    with database.reading([DISTRICT]) as connection:
        entries = journal.list_after(connection, DISTRICT, 0, 100_000)
    database.dispose()
    mine = (
        entry for entry in entries if entry.kind == MatterEvent.OPENED and entry.details["kind"] == "note"
    )
    return {entry.subject_id for entry in mine}
