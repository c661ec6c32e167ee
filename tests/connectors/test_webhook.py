"""A gateway is told that there is a notice and for whom, never a word of it; what it does not take is tried again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.conftest import DISTRICT, Make
from tests.partners.conftest import quarter as quarter_fixture

from anshang.connectors.webhook import Gateway, key_of, signed
from anshang.foundation import clock, feeds, ids
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput
from anshang.journal import actions as journal
from anshang.journal import outgoing
from anshang.journal.outgoing import TRIES_MAX, Way
from anshang.matters import store as matters
from anshang.partners import actions, store
from anshang.partners.model import NoticeKind, PartnerEvent
from anshang.people.model import engine_actor

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
SECRET = "shared"
quarter = quarter_fixture


@dataclass
class Receiver:
    """Somebody else's gateway."""

    url: str = ""
    status: int = 200
    heard: list[tuple[dict[str, Any], dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.heard.append((json.loads(body), dict(self.headers), body))
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield found
    server.shutdown()


def sent(database: Database, make: Make) -> str:
    id = ids.new_id()
    with database.transaction(DISTRICT) as tx:
        actions.send(
            tx, actor=make.actor(), id=id, kind=NoticeKind.REQUEST, partner_ids=["p0", "p1"], asks=True,
            words_zh="绝密内容", words_en="secret words",
        )  # fmt: skip
    return id


def test_the_gateway_is_told_once_signed_and_without_a_word(
    quarter: Database, make: Make, receiver: Receiver
) -> None:
    gateway = Gateway(quarter, receiver.url, SECRET)
    gateway.deliver(DISTRICT)
    assert receiver.heard == [], "what was before is not sent after"
    id = sent(quarter, make)
    actions.open_all(quarter, DISTRICT, [ids.derived(id, "p0")])
    for _ in range(2):
        gateway.deliver(DISTRICT)
    ((told, headers, body),) = receiver.heard
    assert (told["event"], told["notice"], told["partners"]) == ("notice.sent", id, ["p1"]), "p0 has it open"
    assert "secret" not in body.decode() and "绝密" not in body.decode()
    signs = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(SECRET.encode(), signs, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert headers["webhook-id"] == told["id"]
    with quarter.transaction(DISTRICT) as tx:
        actions.withdraw(tx, actor=make.actor(), id=id)
    gateway.deliver(DISTRICT)
    assert [one[0]["event"] for one in receiver.heard] == ["notice.sent", "notice.withdrawn"]
    assert receiver.heard[-1][0]["partners"] == ["p0", "p1"]


def test_a_message_that_is_sent_again_is_signed_for_the_time_of_then(
    quarter: Database, make: Make, receiver: Receiver, night: MoveOn
) -> None:
    """A receiver refuses what is older than five minutes, so a retry must bear its own time."""
    gateway = Gateway(quarter, receiver.url, SECRET)
    gateway.deliver(DISTRICT)
    sent(quarter, make)
    receiver.status = 503
    gateway.deliver(DISTRICT)
    receiver.status = 200
    night(timedelta(minutes=6))
    gateway.deliver(DISTRICT)
    first, again = (headers for _, headers, _ in receiver.heard)
    assert first["webhook-id"] == again["webhook-id"]
    assert int(again["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 360
    assert first["webhook-signature"] != again["webhook-signature"]


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the specification's reference libraries."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    with pytest.raises(BadInput):
        key_of("whsec_?")


def test_a_gateway_that_is_away_hears_it_when_it_is_back(
    quarter: Database, make: Make, receiver: Receiver, night: MoveOn
) -> None:
    feeds.begin_anew()
    gateway = Gateway(quarter, receiver.url, SECRET)
    gateway.deliver(DISTRICT)
    sent(quarter, make)
    receiver.status = 503
    for _ in range(3):
        gateway.deliver(DISTRICT)
    assert len(receiver.heard) == 1, "not before its pause is over"
    receiver.status = 200
    night(timedelta(seconds=6))
    for _ in range(2):
        gateway.deliver(DISTRICT)
    assert len(receiver.heard) == 2
    assert receiver.heard[0][0]["id"] == receiver.heard[1][0]["id"], "the gateway can tell a repetition"
    [found] = feeds.list_records([DISTRICT])
    assert (found.feed, found.taken_count, found.refused_count) == (feeds.Feed.WEBHOOK, 1, 1)
    assert "503" in found.refusals[0].reason.zh


def test_what_is_given_up_is_said_in_the_queue(quarter: Database, make: Make, night: MoveOn) -> None:
    gateway = Gateway(quarter, "http://127.0.0.1:9/nobody", SECRET)
    gateway.deliver(DISTRICT)
    sent(quarter, make)
    for _ in range(TRIES_MAX + 2):
        gateway.deliver(DISTRICT)
        night(timedelta(minutes=11))
    with quarter.reading([DISTRICT]) as connection:
        waiting = matters.list_waiting(connection, engine_actor(DISTRICT).scope, DISTRICT)
        assert store.list_recent_notices(connection, DISTRICT, waiting[0].opened_at - timedelta(days=1))
    assert [matter.text[:4] for matter in waiting] == ["通知网关"]


def test_after_a_long_pause_no_notice_is_skipped(quarter: Database, make: Make, receiver: Receiver) -> None:
    """More entries than are read at once lie before it: once they were taken for all there was."""
    gateway = Gateway(quarter, receiver.url, SECRET)
    gateway.deliver(DISTRICT)
    with quarter.transaction(DISTRICT) as tx:
        for _ in range(1005):
            journal.record(tx, actor_id="a", kind=PartnerEvent.ANSWERED, subject_id="other")
    notice_id = sent(quarter, make)
    gateway.deliver(DISTRICT)
    assert [told["notice"] for told, _, _ in receiver.heard] == [notice_id]


def test_more_notices_than_are_read_at_once_are_all_lined_up(quarter: Database) -> None:
    kinds, now = [str(PartnerEvent.SENT)], clock.now()
    with quarter.transaction(DISTRICT) as tx:
        outgoing.collect(tx, Way.GATEWAY, kinds, now)
    with quarter.transaction(DISTRICT) as tx:
        for number in range(1005):
            journal.record(tx, actor_id="a", kind=PartnerEvent.SENT, subject_id=f"n{number}")
    counts = []
    for _ in range(3):
        with quarter.transaction(DISTRICT) as tx:
            counts.append(outgoing.collect(tx, Way.GATEWAY, kinds, now))
    assert counts == [1000, 5, 0]


def test_nothing_is_written_while_nothing_waits(quarter: Database, make: Make, receiver: Receiver) -> None:
    """A write each second woke the ladder and every stream of the district."""
    gateway = Gateway(quarter, receiver.url, SECRET)
    gateway.deliver(DISTRICT)
    sent(quarter, make)
    gateway.deliver(DISTRICT)
    commits: list[str] = []
    quarter.on_commit.append(commits.append)
    for _ in range(3):
        gateway.deliver(DISTRICT)
    assert commits == []
    assert len(receiver.heard) == 1
