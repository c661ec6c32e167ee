"""Planned events over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta

from fastapi import APIRouter
from pydantic import Field

from anshang.crowds import planned_actions as actions
from anshang.crowds import planned_store as store
from anshang.crowds.uploads import FILE_BODY, read_upload
from anshang.foundation import clock, feeds
from anshang.foundation.actor import Permission
from anshang.foundation.feeds import Feed, Reason
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Code, Id, Instant, RawBody, Shown, Title

router = APIRouter(prefix="/api/events", tags=["crowd"])
AHEAD = timedelta(days=400)
LEFT_OUT_SHOWN = 50


class EventShown(Shown):
    """Something that is planned and draws people; without a zone in the whole district."""

    id: str
    name: str
    zone_id: str | None
    start_at: datetime
    end_at: datetime
    expected_count: int | None


class NewEvent(Body):
    """An event to enter."""

    id: Id
    name: Title
    zone_id: Code | None = None
    start_at: Instant = Field(strict=False)
    end_at: Instant = Field(strict=False)
    expected_count: int | None = Field(default=None, ge=0, le=2_000_000)


class LeftOut(Shown):
    """An event of a file that was not entered, and why."""

    name: str
    en: str
    zh: str


class Imported(Shown):
    """How many events of a file were new, known already and left out; why the first 50 were left out."""

    new: int
    known: int
    left_out_count: int
    left_out: list[LeftOut]


@router.get("")
def events(district: DistrictQuery, caller: Caller) -> list[EventShown]:
    """What goes on now or is planned, by its beginning."""
    caller.actor.must(Permission.CROWD_READ, district)
    now = clock.now()
    with caller.reading(district) as connection:
        found = store.list_plans(connection, district, now, now + AHEAD)
    return [EventShown.model_validate(plan) for plan in found]


@router.post("")
def enter(body: NewEvent, district: DistrictQuery, caller: Caller) -> EventShown:
    """Enter an event."""
    with caller.writing(district, body) as tx:
        return EventShown.model_validate(actions.enter(tx, actor=caller.actor, **body.model_dump()))


@router.delete("/{id}")
def withdraw(id: Id, district: DistrictQuery, caller: Caller) -> EventShown:
    """Withdraw an event."""
    with caller.writing(district) as tx:
        return EventShown.model_validate(actions.withdraw(tx, actor=caller.actor, id=id))


@router.post("/import", openapi_extra=FILE_BODY)
def read_file(district: DistrictQuery, caller: Caller, content: RawBody) -> Imported:
    """Enter the events of an iCalendar or CSV file; what cannot be entered is left out with its reason."""
    caller.actor.must(Permission.CROWD_CONFIGURE, district)
    file = read_upload("anshang.crowds.event_files:read_events", caller, district, "events", content)
    with caller.writing(district) as tx:
        imported = actions.import_events(tx, actor=caller.actor, events=file.events)
    left_out = [*file.left_out, *imported.left_out]
    feeds.took(district, Feed.EVENTS, imported.new)
    for each in left_out:
        feeds.refused(district, Feed.EVENTS, Reason("event.left_out", each.en, each.zh))
    return Imported(
        new=imported.new,
        known=imported.known,
        left_out_count=len(left_out),
        left_out=[LeftOut.model_validate(each) for each in left_out[:LEFT_OUT_SHOWN]],
    )
