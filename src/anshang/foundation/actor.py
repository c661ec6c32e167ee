"""Who acts and what they may do and see. Which role has which permission is said in `people`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from anshang.foundation.errors import NotAllowed


class Permission(StrEnum):
    """One thing a role may do; `noun.verb`."""

    PLACE_READ = "place.read"
    PLACE_EDIT = "place.edit"
    CROWD_READ = "crowd.read"
    CROWD_MEASURE = "crowd.measure"
    CROWD_CONFIRM = "crowd.confirm"
    CROWD_CONFIGURE = "crowd.configure"
    CROWD_INGEST = "crowd.ingest"
    MATTER_READ = "matter.read"
    MATTER_COUNT = "matter.count"
    MATTER_ACT = "matter.act"
    INCIDENT_REPORT = "incident.report"
    INCIDENT_ACT = "incident.act"
    UNIT_READ = "unit.read"
    UNIT_DUTY = "unit.duty"
    UNIT_DIRECT = "unit.direct"
    UNIT_CONFIGURE = "unit.configure"
    TRANSFER_ANSWER = "transfer.answer"
    INCIDENT_CONFIGURE = "incident.configure"
    JOURNAL_READ = "journal.read"
    PEOPLE_MANAGE = "people.manage"
    LIVE_READ = "live.read"
    CHECK_READ = "check.read"
    PERSON_KEEP = "person.keep"
    PERSON_READ = "person.read"
    PERSON_ERASE = "person.erase"
    PARTNER_READ = "partner.read"
    PARTNER_CONFIGURE = "partner.configure"
    NOTICE_SEND = "notice.send"
    SHOP_USE = "shop.use"
    LOOKOUT_OPEN = "lookout.open"
    LOOKOUT_LEAD = "lookout.lead"
    DESK_WORK = "desk.work"
    DRILL_LEAD = "drill.lead"


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows somebody may see: these districts, and within them one body's only when `body_id` is set."""

    district_ids: tuple[str, ...]
    body_id: str | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: an account in a session, a sensor feed with its key, or the district's own engine."""

    id: str
    name: str
    role: str
    body_id: str | None
    district_ids: tuple[str, ...]
    permissions: frozenset[Permission]
    sees_every_body: bool

    def may(self, permission: Permission, district_id: str) -> bool:
        """Whether the actor has the permission and the district is one of theirs."""
        return permission in self.permissions and district_id in self.district_ids

    def must(self, permission: Permission, district_id: str) -> None:
        """NotAllowed unless `may`."""
        if not self.may(permission, district_id):
            raise NotAllowed(
                "permission.missing",
                en=f"Your role may not do this here ({permission}).",
                zh=f"您的角色在此处无权执行该操作（{permission}）。",
                details={"permission": str(permission), "district": district_id},
            )

    def must_either(self, enough: Permission, else_this: Permission, district_id: str) -> None:
        """NotAllowed, naming `else_this`, unless the actor may one of the two."""
        if not self.may(enough, district_id):
            self.must(else_this, district_id)

    def lent(self, *more: Permission) -> Actor:
        """The actor with these permissions, too: for what a verb of theirs brings about elsewhere."""
        return replace(self, permissions=self.permissions | set(more))

    @property
    def scope(self) -> Scope:
        """What the actor may see."""
        return Scope(self.district_ids, None if self.sees_every_body else self.body_id or "-")
