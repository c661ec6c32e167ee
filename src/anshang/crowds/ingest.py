"""Taking a batch of observations: every row is looked at, the good ones are on disk before we say so.

A row is known by its sensor and its instant. The same again is counted as repeated and changes nothing, so a
sender that got no answer sends again; the same key with other counts is refused, because the first word is
what was acted on. One bad row never spoils the others. Rows may be late and out of order.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec

from anshang.crowds import observations, sealed
from anshang.crowds.carrying import BEYOND_GATE, COUNT_MAX, read_passed_max
from anshang.crowds.clocks import SKEW_MS
from anshang.crowds.keeping import keep_rows
from anshang.crowds.model import Observation
from anshang.crowds.telemetry import DAY_MS
from anshang.crowds.turnstile import Turnstile
from anshang.foundation import clock, feeds
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput
from anshang.foundation.feeds import Feed, Reason

ROWS_MAX = 10_000
COMMAS_MAX = 8 * ROWS_MAX
"""More than rows in plenty can have: a body with more is not taken apart row by row."""
LISTED_MAX = 100
DIGITS_MAX = 100
AHEAD_MAX_MS = 3_600_000
OLDEST_MS = 946_684_800_000
"""2000-01-01: what is older comes from a clock that was never set."""
LIVE_MS = DAY_MS
"""Rows older than this are history and are not told to the engine, whose day begins anew every day."""
SENSORS_MEMORY_S = 2.0
NEW_SENSOR_S = 0.1
"""How old what is known of the sensors may be: as a rule, and when a row names one that is not known."""

PassedMax = Mapping[str, int | None]
UNKNOWN = -1

OnTaken = Callable[[str, Sequence[Observation]], None]

REASONS = {
    "row.malformed": (
        "The row does not have the expected form: sensor, at, and in with out, or people.",
        "该行格式不正确：应有 sensor、at，以及 in 与 out，或 people。",
    ),
    "sensor.unknown": ("No such sensor is in use here.", "此处没有在用的该传感器。"),
    "sensor.wrong_fields": (
        "A line counter sends “in” and “out”, a head counter “people”.",
        "过线计数器应发送 in 和 out，区域计数器应发送 people。",
    ),
    "count.malformed": ("A count is a whole number.", "计数应为整数。"),
    "count.impossible": (
        f"A count lies between 0 and {COUNT_MAX:,}.",
        f"计数应在 0 至 {COUNT_MAX:,} 之间。",
    ),
    BEYOND_GATE: (
        "More people than a gate of this width lets through; send what passed in each period.",
        "人数超过该宽度通道口的通行能力；请按周期分别上报。",
    ),
    "at.malformed": (
        "The time is not an ISO 8601 instant with its zone, like 2026-12-31T12:00:00Z.",
        "时间不是带时区的 ISO 8601 格式，例如 2026-12-31T12:00:00Z。",
    ),
    "at.too_old": ("The time is before 2000.", "时间早于 2000 年。"),
    "at.future": ("The time is more than an hour ahead.", "时间超前一小时以上。"),
    "observation.differs": (
        "The sensor said something else about this instant before; the first word stays.",
        "该传感器此前已上报同一时刻的不同数值，以首次上报为准。",
    ),
    "clock.skewed": (
        "Taken, but the sensor's clock is more than two minutes ahead.",
        "已接收，但传感器时钟超前两分钟以上。",
    ),
}
"""Why a row is refused or (the last) flagged, in both languages."""


class Row(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One observation as it is sent; `at` is ISO 8601 with a zone."""

    sensor: str
    at: str
    in_: int | None = msgspec.field(default=None, name="in")
    out: int | None = None
    people: int | None = None


class Batch(msgspec.Struct, forbid_unknown_fields=True):
    """What is sent."""

    observations: list[Row]


class Remark(msgspec.Struct):
    """Why a row was refused or flagged; rows are counted from 0."""

    row: int
    error: str
    message: dict[str, str]


class Receipt(msgspec.Struct):
    """What became of a batch. The lists name the first hundred, the counts all."""

    taken: int
    repeated: int
    refused_count: int
    flagged_count: int
    refused: list[Remark]
    flagged: list[Remark]


_decode = msgspec.json.Decoder(Batch).decode
Wrong = str
"""A code of REASONS in the place of a row that could not be read."""


class Intake:
    """Takes batches for all districts of this process.

    `on_taken` is called with the district and the rows that are new and recent, once they are on disk. From
    before rows are kept until that call has returned, the batch is inside the turnstile.
    """

    def __init__(
        self,
        database: Database,
        on_taken: OnTaken,
        turnstile: Turnstile | None = None,
        sealed_folder: Path | None = None,
    ) -> None:
        self._database = database
        self._on_taken = on_taken
        self._turnstile = turnstile or Turnstile()
        self._sealed_folder = sealed_folder
        self._known: dict[str, tuple[float, PassedMax]] = {}
        self._reading = threading.Lock()

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        self._known.pop(district_id, None)

    def take(self, *, actor: Actor, district_id: str, batch: bytes) -> Receipt:
        """Take a batch (JSON); BadInput when it is none at all. What the receipt calls taken is on disk."""
        actor.must(Permission.CROWD_INGEST, district_id)
        rows = decode_batch(batch)
        receipt = self.take_rows(district_id, rows)
        record(Feed.COUNTS, district_id, rows, receipt)
        return receipt

    def take_rows(self, district_id: str, rows: Sequence[Row | Wrong]) -> Receipt:
        """Take decoded rows, in the order of their numbers."""
        now_ms = clock.to_ms(clock.now())
        sift = Sift(self._sensors_of(district_id, SENSORS_MEMORY_S), now_ms)
        sift.look_at(rows)
        if any(each.error == "sensor.unknown" for each in sift.refused):  # it may be new
            sift = Sift(self._sensors_of(district_id, NEW_SENSOR_S), now_ms)
            sift.look_at(rows)
        accepted = list(sift.accepted.values())
        with self._turnstile:
            added = self._add(district_id, accepted, now_ms)
            recent = [row for row in added.fresh if row.at_ms >= now_ms - LIVE_MS]
            if recent:
                self._on_taken(district_id, recent)
        if added.differing:
            sift.refuse_kept(rows, added.differing)
        return Receipt(
            taken=len(added.fresh),
            repeated=sift.repeated + len(accepted) - len(added.fresh) - len(added.differing),
            refused_count=sift.refused_count,
            flagged_count=sift.flagged_count,
            refused=sift.refused,
            flagged=sift.flagged,
        )

    def has_sensors(self, district_id: str) -> bool:
        """Whether there is such a district, with a sensor in use."""
        return bool(self._sensors_of(district_id, SENSORS_MEMORY_S))

    def _add(self, district_id: str, rows: list[Observation], now_ms: int) -> observations.Added:
        """Keep the rows; nearly always all are new, so that is tried first."""
        if rows and min(rows, key=_at_ms).at_ms < now_ms // DAY_MS * DAY_MS:  # its day may be sealed
            rows, sealed_differing = sealed.set_apart(self._sealed_folder, district_id, rows)
            added = self._add_unsealed(district_id, rows, now_ms)
            return observations.Added(added.fresh, [*added.differing, *sealed_differing])
        return self._add_unsealed(district_id, rows, now_ms)

    def _add_unsealed(self, district_id: str, rows: list[Observation], now_ms: int) -> observations.Added:
        if not rows:
            return observations.Added([], [])
        return keep_rows(self._database, district_id, rows, now_ms)

    def _sensors_of(self, district_id: str, memory_s: float) -> PassedMax:
        """What `read_passed_max` answers, at most `memory_s` old; one batch asks again, the others do not."""
        read_s, known = self._known.get(district_id, (0.0, {}))
        if time.monotonic() - read_s > memory_s and self._reading.acquire(blocking=not known):
            try:
                with self._database.reading([district_id]) as connection:
                    known = read_passed_max(connection, district_id)
                self._known[district_id] = (time.monotonic(), known)
            finally:
                self._reading.release()
        return known


@dataclass(slots=True)
class Sift:
    """Sorts rows into accepted, repeated within the batch, and refused with the reason."""

    passed_max: PassedMax
    now_ms: int
    accepted: dict[tuple[str, int], Observation] = field(default_factory=dict)
    repeated: int = 0
    refused: list[Remark] = field(default_factory=list)
    refused_count: int = 0
    flagged: list[Remark] = field(default_factory=list)
    flagged_count: int = 0
    _instants: dict[str, int | Wrong] = field(default_factory=dict)

    def look_at(self, rows: Sequence[Row | Wrong]) -> None:
        """Judge every row. Rows of a batch share few instants, so each is read once."""
        instants, accepted, skewed_ms = self._instants, self.accepted, self.now_ms + SKEW_MS
        for number, row in enumerate(rows):
            if isinstance(row, Wrong):
                self.refuse(number, row)
                continue
            at_ms = instants.get(row.at)
            if at_ms is None:
                at_ms = instants[row.at] = self._instant(row.at)
            observation = at_ms if isinstance(at_ms, Wrong) else self._observation(row, at_ms)
            if isinstance(observation, Wrong):
                self.refuse(number, observation)
                continue
            first = accepted.setdefault(observation[:2], observation)
            if first is not observation:
                self._meet_again(number, first, observation)
            elif observation.at_ms > skewed_ms:
                self._flag(number)

    def refuse(self, number: int, error: Wrong) -> None:
        """Refuse a row."""
        self.refused_count += 1
        if len(self.refused) < LISTED_MAX:
            self.refused.append(remark(number, error))

    def refuse_kept(self, rows: Sequence[Row | Wrong], differing: Sequence[Observation]) -> None:
        """Refuse the accepted rows that were kept before with other counts."""
        keys = {row[:2] for row in differing}
        for number, row in enumerate(rows):
            if isinstance(row, Row) and (row.sensor, self._instants.get(row.at)) in keys:
                keys.discard((row.sensor, self._instants[row.at]))
                self.refuse(number, "observation.differs")

    def _meet_again(self, number: int, first: Observation, observation: Observation) -> None:
        if first == observation:
            self.repeated += 1
        else:
            self.refuse(number, "observation.differs")

    def _flag(self, number: int) -> None:
        self.flagged_count += 1
        if len(self.flagged) < LISTED_MAX:
            self.flagged.append(remark(number, "clock.skewed"))

    def _instant(self, at: str) -> int | Wrong:
        """Milliseconds since 1970, or what is wrong with it."""
        try:
            instant = datetime.fromisoformat(at)
            if instant.tzinfo is None or "\0" in at:  # Python 3.11 reads past it
                return "at.malformed"
            at_ms = clock.to_ms(instant)
        except (ValueError, OverflowError):
            return "at.malformed"
        if at_ms < OLDEST_MS:
            return "at.too_old"
        return "at.future" if at_ms > self.now_ms + AHEAD_MAX_MS else at_ms

    def _observation(self, row: Row, at_ms: int) -> Observation | Wrong:
        """The row as it is kept, or the reason why its counts cannot be."""
        passed_max = self.passed_max.get(row.sensor, UNKNOWN)
        passed, out, people = row.in_, row.out, row.people
        if passed_max == UNKNOWN:
            return "sensor.unknown"
        if passed_max is not None:
            if passed is None or out is None or people is not None:
                return "sensor.wrong_fields"
            if 0 <= passed <= COUNT_MAX and 0 <= out <= COUNT_MAX:
                fits = passed + out <= passed_max
                return _make(Observation, (row.sensor, at_ms, passed, out, None)) if fits else BEYOND_GATE
        else:
            if people is None or passed is not None or out is not None:
                return "sensor.wrong_fields"
            if 0 <= people <= COUNT_MAX:
                return _make(Observation, (row.sensor, at_ms, 0, 0, people))
        return "count.impossible"


_at_ms = itemgetter(1)
_make = tuple.__new__
"""Makes a named tuple in a third of the time of its own constructor, which matters once for every row."""


def decode_batch(batch: bytes) -> Sequence[Row | Wrong]:
    """The rows of a batch (JSON); BadInput when it is no batch or has too many rows."""
    try:
        rows: Sequence[Row | Wrong] = _decode(batch).observations
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        rows = _decode_one_by_one(batch)
    if len(rows) > ROWS_MAX:
        raise _too_long()
    return rows


def record(feed: Feed, district_id: str, rows: Sequence[Row | Wrong], receipt: Receipt) -> None:
    """Keep with the feed how many rows were taken, and why others were refused, by the reasons listed."""
    if receipt.taken or receipt.repeated:
        feeds.took(district_id, feed, receipt.taken)
    counts = Counter(each.error for each in receipt.refused)
    for each in reversed(receipt.refused):
        if count := counts.pop(each.error, 0):
            row = rows[each.row]
            about = row.sensor if isinstance(row, Row) else ""
            unlisted = receipt.refused_count - len(receipt.refused) if not counts else 0
            reason = Reason(each.error, each.message["en"], each.message["zh"], about)
            feeds.refused(district_id, feed, reason, count + unlisted)


def remark(number: int, error: Wrong) -> Remark:
    """A reason in both languages."""
    en, zh = REASONS[error]
    return Remark(number, error, {"en": en, "zh": zh})


def _decode_one_by_one(batch: bytes) -> list[Row | Wrong]:
    """Like the fast way, but a bad row spoils only itself; `NaN` is let through so far, as a bad count."""
    if batch.count(b",") > COMMAS_MAX:
        raise _too_long()
    try:
        told = json.loads(batch, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise _no_batch(str(error)) from None
    if (
        not isinstance(told, dict)
        or set(told) != {"observations"}
        or not isinstance(told["observations"], list)
    ):
        raise _no_batch("expected an object with the list “observations”")
    return [_row(row) for row in told["observations"]]


def _whole(digits: str) -> int | float:
    """A whole number; one that no counter can mean is let through as infinity, as a bad count of its row."""
    return int(digits) if len(digits) <= DIGITS_MAX else math.inf


def _row(told: Any) -> Row | Wrong:
    try:
        return msgspec.convert(told, Row)
    except (msgspec.ValidationError, UnicodeEncodeError):  # half a surrogate pair is JSON, but no text
        pass
    if not isinstance(told, dict) or not set(told) <= {"sensor", "at", "in", "out", "people"}:
        return "row.malformed"
    if not isinstance(told.get("sensor"), str):
        return "row.malformed"
    if not isinstance(told.get("at"), str):
        return "at.malformed"
    return "count.malformed"


def _too_long() -> BadInput:
    return BadInput(
        "body.too_large",
        en=f"A batch has at most {ROWS_MAX:,} rows.",
        zh=f"每批最多 {ROWS_MAX:,} 行。",
        details={"rows_max": ROWS_MAX},
    )


def _no_batch(reason: str) -> BadInput:
    return BadInput(
        "batch.malformed",
        en=f"The body is not a batch of observations: {reason[:200]}.",
        zh=f"请求内容不是有效的观测批次：{reason[:200]}。",
    )
