"""What each feed of a district brought since the start, and why the last of it was refused, over HTTP."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter

from anshang.foundation import feeds
from anshang.foundation.actor import Permission
from anshang.foundation.feeds import OUTGOING, Feed, FeedRecord
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import BothLanguages, Shown

router = APIRouter(tags=["web"])


class RefusalShown(Shown):
    """A reason, what it is about (a sensor, unit, topic or host), how often it was met, and when last."""

    code: str
    message: BothLanguages
    about: str
    count: int
    last_at: datetime


class FeedState(Shown):
    """A feed since the start: rows, positions, hours or messages; the refusals newest first.

    `outgoing` is what others refuse; `unassigned` what could not be assigned to a district, of all of them.
    """

    feed: Feed
    outgoing: bool
    unassigned: bool
    taken_count: int
    refused_count: int
    last_taken_at: datetime | None
    last_refused_at: datetime | None
    refusals: list[RefusalShown]


class FeedStates(Shown):
    """Every feed of the district, then those that brought something which is assigned to no district."""

    since: datetime
    feeds: list[FeedState]


@router.get("/api/feeds/state")
def states(district: DistrictQuery, caller: Caller) -> FeedStates:
    """What came by each feed, and why the last was refused; no values, no positions, no persons."""
    caller.actor.must(Permission.CROWD_CONFIGURE, district)
    known = {record.feed: record for record in feeds.list_records([district])}
    theirs = [known.get(feed) or FeedRecord(district, feed) for feed in Feed]
    shown = [_shown(record) for record in [*theirs, *feeds.list_records([feeds.UNASSIGNED])]]
    return FeedStates(since=feeds.started_at(), feeds=shown)


def _shown(record: FeedRecord) -> FeedState:
    return FeedState(
        feed=record.feed,
        outgoing=record.feed in OUTGOING,
        unassigned=record.district_id == feeds.UNASSIGNED,
        taken_count=record.taken_count,
        refused_count=record.refused_count,
        last_taken_at=record.last_taken_at,
        last_refused_at=record.last_refused_at,
        refusals=[
            RefusalShown(
                code=one.reason.code,
                message=BothLanguages(en=one.reason.en, zh=one.reason.zh),
                about=one.reason.about,
                count=one.count,
                last_at=one.last_at,
            )
            for one in record.refusals
        ],
    )
