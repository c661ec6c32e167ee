"""What must be true of somebody before she is looked for, and by when."""

from __future__ import annotations

from datetime import timedelta

from anshang.foundation import clock
from anshang.foundation.database import Transaction
from anshang.foundation.errors import BadInput, RuleBroken
from anshang.lookouts import store
from anshang.lookouts.model import Lookout, check_words
from anshang.matters.model import ClockKind, Due
from anshang.places import store as places

SIMILAR = timedelta(minutes=20)
SIMILAR_DEGREES = 0.003
OLDEST = timedelta(hours=24)
FOUND_WITHIN_S = 1_200.0
DUE = (
    Due(ClockKind.ACKNOWLEDGE, 30.0, "due.answer", {"priority": 2, "within_s": 30.0}),
    Due(ClockKind.RESOLVE, FOUND_WITHIN_S, "due.found", {"within_s": FOUND_WITHIN_S}),
)


def check(tx: Transaction, lookout: Lookout, name: str, words: tuple[str, str], insist: bool) -> None:
    """BadInput for a time or words that cannot be; RuleBroken when somebody like her was lost there minutes
    ago, unless one insists.
    """
    now = clock.now()
    if not now - OLDEST <= lookout.seen_at <= now + timedelta(seconds=5):
        raise BadInput(
            "lookout.bad_time",
            en="She was last seen within the last day, and not later than now.",
            zh="最后出现时间须在最近 24 小时内，且不晚于现在。",
        )
    if not all(text.strip() for text in words):
        raise BadInput("notice.one_language", en="Say it in both languages.", zh="请同时填写中文和英文。")
    check_words(name.strip(), *words)
    places.check_zone(tx.connection, tx.district_id, lookout.zone_id)
    for other in store.list_live(tx.connection, tx.district_id):
        close_by = (
            abs(other.lon - lookout.lon) < SIMILAR_DEGREES and abs(other.lat - lookout.lat) < SIMILAR_DEGREES
        )
        alike = (other.sort, other.age_band) == (lookout.sort, lookout.age_band)
        if not insist and alike and close_by and abs(other.seen_at - lookout.seen_at) < SIMILAR:
            raise RuleBroken(
                "lookout.similar",
                en="Somebody like that is being looked for already. Is it somebody else?",
                zh="附近已有一起相似的协查。确认是另一人吗？",
                details={"lookout": other.id},
            )
