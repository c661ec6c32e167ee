"""The forecast is trained each night in a process of its own: whatever befalls it, the server goes on with
the model it has, and the journal says what happened.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from datetime import date
from pathlib import Path
from typing import IO

from anshang.crowds import trained_actions as actions
from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.people.model import engine_actor
from anshang.places.model import District

PROGRAM = (sys.executable, "-m", "anshang")
LOOK_S = 0.5
LONGEST_S = 4 * 3600.0


class TrainingProcess:
    """Starts the training of each district once a night, at `hour` of its own clock; hears how it ended."""

    def __init__(
        self,
        database: Database,
        data_folder: Path,
        hour: int,
        stopping: threading.Event,
        program: tuple[str, ...] = PROGRAM,
    ) -> None:
        self._database, self._data_folder, self._hour = database, data_folder, hour
        self._stopping, self._program = stopping, program
        self._tried: dict[str, date] = {}

    def go_on(self, district: District) -> None:
        """Train when it is time, and return when that is over or the server stops."""
        local = district.local(clock.now())
        if local.hour != self._hour or self._tried.get(district.id) == local.date():
            return
        self._tried[district.id] = local.date()
        reason = self._run(district.id)
        if reason is not None:
            with self._database.transaction(district.id) as tx:
                actions.tell_failure(tx, actor=engine_actor(district.id), reason=reason)

    def _run(self, district_id: str) -> str | None:
        """Why it came to nothing; None when it did not, or was not meant to."""
        told = ("crowd", "train", "--nightly", "--district", district_id, "--data", str(self._data_folder))
        with tempfile.TemporaryFile() as complaints:
            process = subprocess.Popen(  # noqa: S603 - our own program and ids that were checked
                [*self._program, *told],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
            )
            if not self._ended(process):
                return None if self._stopping.is_set() else f"not ready after {LONGEST_S:.0f} s"
            return None if process.returncode == 0 else _why(process.returncode, complaints)

    def _ended(self, process: subprocess.Popen[bytes]) -> bool:
        """Whether it ended by itself; it is ended when the server stops, or after LONGEST_S."""
        for _ in range(round(LONGEST_S / LOOK_S)):
            if process.poll() is not None:
                return True
            if self._stopping.wait(LOOK_S):
                break
        process.terminate()
        process.wait()
        return False


def _why(code: int, complaints: IO[bytes]) -> str:
    """The last line that it complained with, or how it was ended."""
    complaints.seek(0)
    lines = [line for line in complaints.read().decode("utf-8", "replace").splitlines() if line.strip()]
    if code < 0:
        return f"ended by signal {-code}"
    return lines[-1].strip()[:300] if lines else f"ended with {code}"
