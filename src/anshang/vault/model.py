"""What a record of the vault is, what it may be used for, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from anshang.foundation.errors import NotFound, RuleBroken


class RecordKind(StrEnum):
    """What sort of personal data it is."""

    DESCRIPTION = "description"
    PHOTO = "photo"
    WORDS = "words"
    CONTACT = "contact"


class Purpose(StrEnum):
    """What it was given for, and may be read for."""

    LOOKOUT = "lookout"
    REPORT = "report"
    PARTNER = "partner"
    VOLUNTEER = "volunteer"


class VaultKind(StrEnum):
    """What can happen to a record (journal kinds)."""

    KEPT = "record.kept"
    READ = "record.read"
    SHORTENED = "record.shortened"
    ERASED = "record.erased"


class ErasureEvent(StrEnum):
    """What can happen to erasure as a whole (journal kinds)."""

    HELD = "erasure.held"
    RESUMED = "erasure.resumed"
    CONFIRMED = "erasure.confirmed"
    APPLIED = "erasure.applied"


RETENTION: Mapping[Purpose, timedelta] = MappingProxyType(
    {
        Purpose.LOOKOUT: timedelta(days=3),
        Purpose.REPORT: timedelta(days=30),
        Purpose.PARTNER: timedelta(days=400),
        Purpose.VOLUNTEER: timedelta(days=400),
    }
)
"""The longest a record lives; closing what it was for shortens that."""


@dataclass(frozen=True, slots=True)
class Record:
    """Something personal about the subject, sealed; `sealed` is empty once it was erased."""

    id: str
    district_id: str
    subject_id: str
    kind: RecordKind
    purpose: Purpose
    sealed: bytes
    kept_at: datetime
    kept_by: str
    expires_at: datetime
    erased_at: datetime | None = None
    version: int = 1

    def check_readable(self, purpose: Purpose, at: datetime) -> None:
        """RuleBroken for another purpose than it was given for; NotFound once it is over."""
        if self.erased_at is not None or at >= self.expires_at:
            raise NotFound(
                "record.erased", en="This was erased.", zh="该资料已销毁。", details={"record": self.id}
            )
        if purpose is not self.purpose:
            raise RuleBroken(
                "record.other_purpose",
                en=f"This was given for “{self.purpose}” and is read for nothing else.",
                zh=f"该资料仅用于“{self.purpose}”，不得用于其他目的。",
            )

    def check_kind(self, kind: RecordKind) -> None:
        """NotFound when it is something else than the reader asks for."""
        if kind is not self.kind:
            raise NotFound(f"{kind}.missing", en=f"This is no {kind}.", zh="该资料类型不符。")

    def shortened(self, until: datetime) -> Record:
        """It is needed no longer than until then."""
        return replace(self, expires_at=min(self.expires_at, until))

    def erased(self, at: datetime) -> Record:
        """Nothing of it is left but that it was there."""
        return replace(self, sealed=b"", erased_at=at, expires_at=min(self.expires_at, at))


@dataclass(frozen=True, slots=True)
class Reading:
    """Somebody opened a record."""

    record_id: str
    reader_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of everything that was kept about a subject, and who had opened it."""

    subject_id: str
    records: tuple[Record, ...]
    readings: tuple[Reading, ...]

    @property
    def erased_at(self) -> datetime | None:
        """When the last of it was erased, None while something is left."""
        ends = [record.erased_at for record in self.records]
        return max((end for end in ends if end is not None), default=None) if all(ends) else None
