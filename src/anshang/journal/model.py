"""An entry of the journal, the hash that chains it to the one before, and the seal of a day.

Kinds are `noun.participle`; each room lists its own in a StrEnum. Details are small JSON values: ids and
figures, never a name, a telephone number or a free text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

EVERYWHERE = "*"
"""The district of entries that concern the installation as a whole (accounts, sign-ins)."""
CLOCK = "clock"
"""What an entry is about that says whether the machine's clock is believed."""

GENESIS = "0" * 64
"""What the first entry of a district is chained to."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was decided or happened, in the order of `seq` within its district."""

    seq: int
    id: str
    at: datetime
    district_id: str
    actor_id: str
    kind: str
    subject_id: str
    drill: bool
    details_json: str
    chain: str

    @property
    def details(self) -> dict[str, Any]:
        """Ids and figures that belong to what happened."""
        told: dict[str, Any] = json.loads(self.details_json)
        return told

    def chained_to(self, before_seq: int, before_chain: str) -> str:
        """The SHA-256 (hex) over the previous entry's number and chain and every field of this one but `seq`.

        An entry's own number is covered by the next entry, the last one's by its seal.
        """
        fields = [
            self.id,
            self.at.isoformat(),
            self.district_id,
            self.actor_id,
            self.kind,
            self.subject_id,
            self.drill,
            self.details_json,
        ]
        text = json.dumps([before_seq, before_chain, *fields], ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Seal:
    """The state of a district's chain when a day (UTC) was over: kept elsewhere, it proves the days
    before.
    """

    district_id: str
    on: date
    last_seq: int
    entry_count: int
    chain: str
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where the journal is not what was written."""

    district_id: str
    seq: int
    reason: str


def faults_in_chain(
    entries: Iterable[Entry],
    seals: Iterable[Seal],
    after: Seal | None = None,
    *,
    sealed_until: date | None = None,
) -> list[Fault]:
    """Walk one district's entries in order, from the first or those after a seal that is trusted; every entry
    that breaks the chain, a seal that does not fit, and one that is missing on a day (UTC) with entries
    between the first seal and `sealed_until`.
    """
    faults: list[Fault] = []
    open_seals = sorted(seals, key=lambda seal: seal.last_seq)
    sealed_on = {seal.on for seal in open_seals}
    last_of_day: dict[date, Entry] = {}
    before_seq, before, count = (0, GENESIS, 0) if after is None else (after.last_seq, after.chain, 0)
    for entry in entries:
        while open_seals and open_seals[0].last_seq < entry.seq:
            faults += _misfit(open_seals.pop(0), before, count)
        if entry.chained_to(before_seq, before) != entry.chain:
            faults.append(Fault(entry.district_id, entry.seq, "entry does not fit the chain"))
        before_seq, before, count = entry.seq, entry.chain, count + 1
        last_of_day[entry.at.astimezone(UTC).date()] = entry
    for seal in open_seals:
        faults += _misfit(seal, before, count)
    if sealed_until is not None:
        faults += _unsealed(last_of_day, sealed_on, sealed_until)
    return faults


def _unsealed(last_of_day: Mapping[date, Entry], sealed_on: Set[date], until: date) -> list[Fault]:
    first = min(sealed_on)
    return [
        Fault(entry.district_id, entry.seq, f"the seal of {day} is missing")
        for day, entry in sorted(last_of_day.items())
        if first < day < until and day not in sealed_on
    ]


def _misfit(seal: Seal, chain: str, count: int) -> list[Fault]:
    if (seal.chain, seal.entry_count) == (chain, count):
        return []
    return [Fault(seal.district_id, seal.last_seq, f"the seal of {seal.on} does not fit")]
