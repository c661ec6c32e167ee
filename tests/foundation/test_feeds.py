"""What each feed brought, and why the last of it was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from tests.conftest import DISTRICT, NIGHT

from anshang.foundation import feeds
from anshang.foundation.feeds import Feed, FeedRecord, Reason

LATE = Reason("at.future", "Too late.", "太晚。", "g1")


@pytest.fixture(autouse=True)
def anew(night: Callable[[timedelta], None]) -> Iterator[None]:
    feeds.begin_anew()
    yield
    feeds.begin_anew()


def record(feed: Feed = Feed.COUNTS, district_id: str = DISTRICT) -> FeedRecord:
    [found] = [one for one in feeds.list_records([district_id]) if one.feed is feed]
    return found


def test_a_feed_knows_what_was_taken_and_why_the_last_was_refused(
    night: Callable[[timedelta], None],
) -> None:
    feeds.took(DISTRICT, Feed.COUNTS, 3)
    night(timedelta(minutes=1))
    feeds.refused(DISTRICT, Feed.COUNTS, LATE, 2)
    night(timedelta(minutes=1))
    feeds.refused(DISTRICT, Feed.COUNTS, Reason("row.malformed", "Bad.", "坏。"))
    feeds.refused(DISTRICT, Feed.COUNTS, LATE)
    found = record()
    assert (found.taken_count, found.refused_count) == (3, 4)
    assert found.last_taken_at == NIGHT
    assert found.last_refused_at == NIGHT + timedelta(minutes=2)
    assert [(one.reason.code, one.count) for one in found.refusals] == [
        ("at.future", 3),
        ("row.malformed", 1),
    ]
    assert feeds.totals()[Feed.COUNTS] == (3, 4)
    assert feeds.totals()[Feed.COT] == (0, 0)
    assert feeds.started_at() == NIGHT


def test_rows_known_before_show_that_the_feed_lives(night: Callable[[timedelta], None]) -> None:
    feeds.took(DISTRICT, Feed.MQTT, 0)
    assert record(Feed.MQTT).last_taken_at == NIGHT
    assert record(Feed.MQTT).taken_count == 0


def test_a_flood_of_reasons_and_districts_stays_bounded() -> None:
    for number in range(100):
        feeds.refused(DISTRICT, Feed.COT, Reason(f"r{number}", "x", "x", "y" * 500))
    found = record(Feed.COT)
    assert found.refused_count == 100
    assert len(found.refusals) == feeds.REASONS_MOST
    assert found.refusals[0].reason.code == "r99"
    assert len(found.refusals[0].reason.about) == feeds.ABOUT_LENGTH_MOST
    for number in range(feeds.RECORDS_MOST + 10):
        feeds.took(f"d{number}", Feed.COUNTS)
    assert record(Feed.COUNTS, feeds.UNASSIGNED).taken_count == 11
    feeds.took(DISTRICT, Feed.COT)
    assert record(Feed.COT).taken_count == 1, "who is known stays known"


def test_a_drill_enters_no_feed() -> None:
    feeds.took(f"{DISTRICT}-drill", Feed.COUNTS)
    feeds.refused(f"{DISTRICT}-drill", Feed.COUNTS, LATE)
    assert feeds.list_records([f"{DISTRICT}-drill"]) == []
