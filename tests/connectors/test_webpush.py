"""A partner's phone is told by web push that there is something, never what; and only through known services."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from fastapi import FastAPI
from py_vapid import Vapid02
from tests.conftest import DISTRICT, Make
from tests.connectors.test_webhook import sent
from tests.partners.conftest import BODY
from tests.partners.conftest import quarter as quarter_fixture
from tests.serving import signed_in

from anshang.app import create_app
from anshang.connectors.webpush import KEY_FILE, WebPush, public_key
from anshang.foundation import clock, feeds, ids
from anshang.foundation.database import Database
from anshang.journal import actions as journal
from anshang.journal import outgoing
from anshang.journal.model import EVERYWHERE
from anshang.partners import actions, push_actions, push_store
from anshang.partners.model import PartnerEvent
from anshang.partners.push import Phone
from anshang.people import actions as people
from anshang.people.actions import PasswordHash
from anshang.people.model import Role, actor_of, engine_actor, operator_actor
from anshang.people.store import accounts
from anshang.settings import Settings

pytestmark = pytest.mark.postgres

MoveOn = Callable[[timedelta], None]
CONTACT = "mailto:duty@example.org"
HERE = f"?district={DISTRICT}"
GOOD = "https://fcm.googleapis.com/fcm/send/abc"
quarter = quarter_fixture


@dataclass
class Service:
    """Somebody else's push service."""

    url: str = ""
    status: int = 201
    away: set[str] = field(default_factory=set)
    """The paths that are answered with 503."""
    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return sorted(path for path, _, _ in self.heard)


@pytest.fixture
def service() -> Iterator[Service]:
    found = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found.heard.append((self.path, dict(self.headers.items()), body))
            self.send_response(503 if self.path in found.away else found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()


def phone_at(database: Database, shop: str, endpoint: str) -> str:
    """A phone of a new account of a shop, told as if its service were known; the account."""
    operator = operator_actor(DISTRICT)
    with database.transaction(EVERYWHERE) as tx:
        account = people.open_account(
            tx, actor=operator, id=ids.new_id(), name=f"{shop}-{ids.new_id()[-12:]}", display_name=shop,
            role=Role.PARTNER, body_id=BODY[shop], district_ids=(DISTRICT,), password=PasswordHash("none"),
        )  # fmt: skip
    with database.transaction(DISTRICT) as tx:
        push_store.phones.add(tx, Phone(ids.new_id(), DISTRICT, account.id, endpoint, clock.now()))
    return account.id


def test_phones_of_those_who_have_not_opened_it_are_told_without_a_word(
    quarter: Database, make: Make, service: Service, tmp_path: Path, night: MoveOn
) -> None:
    for shop in ("p0", "p1", "p2"):
        phone_at(quarter, shop, f"{service.url}/{shop}")
    push = WebPush(quarter, tmp_path, CONTACT)
    push.deliver(DISTRICT)
    id = sent(quarter, make)
    actions.open_all(quarter, DISTRICT, [ids.derived(id, "p0")])
    for _ in range(2):
        push.deliver(DISTRICT)
    ((path, headers, body),) = service.heard
    assert (path, body) == ("/p1", b"")
    assert headers["TTL"] == "600"
    night(timedelta(minutes=4))
    with quarter.transaction(DISTRICT) as tx:
        actions.remind(tx, actor=engine_actor(DISTRICT))
    push.deliver(DISTRICT)
    assert service.paths == ["/p1", "/p1"]


def test_a_push_service_can_see_who_signed(
    quarter: Database, make: Make, service: Service, tmp_path: Path
) -> None:
    phone_at(quarter, "p0", f"{service.url}/p0")
    push = WebPush(quarter, tmp_path, CONTACT)
    push.deliver(DISTRICT)
    sent(quarter, make)
    push.deliver(DISTRICT)
    ((_, headers, _),) = service.heard
    token, key = headers["Authorization"].removeprefix("vapid t=").split(",k=")
    assert key == public_key(tmp_path), "the key that phones have subscribed with"
    assert Vapid02.verify(headers["Authorization"])
    assert not Vapid02.verify(f"vapid t={token[:-8]}AAAAAAAA,k={key}")
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0


def test_a_phone_that_is_gone_and_an_account_that_is_closed_are_told_no_longer(
    quarter: Database, make: Make, service: Service, tmp_path: Path
) -> None:
    phone_at(quarter, "p0", f"{service.url}/p0")
    closed = phone_at(quarter, "p1", f"{service.url}/p1")
    with quarter.transaction(EVERYWHERE) as tx:
        account = accounts.get(tx.connection, EVERYWHERE, closed)
        accounts.put(tx, replace(account, active=False))
    push = WebPush(quarter, tmp_path, CONTACT)
    push.deliver(DISTRICT)
    feeds.begin_anew()
    service.status = 410
    sent(quarter, make)
    push.deliver(DISTRICT)
    sent(quarter, make)
    push.deliver(DISTRICT)
    assert service.paths == ["/p0"]
    [found] = feeds.list_records([DISTRICT])
    assert (found.feed, found.taken_count, found.refused_count) == (feeds.Feed.WEB_PUSH, 0, 1)
    assert found.refusals[0].reason.about == "127.0.0.1", "the host alone, never the address of a phone"


def test_a_service_that_is_away_holds_nothing_up(quarter: Database, make: Make, tmp_path: Path) -> None:
    account = phone_at(quarter, "p0", "http://127.0.0.1:9/nobody")
    push = WebPush(quarter, tmp_path, CONTACT)
    push.deliver(DISTRICT)
    sent(quarter, make)
    push.deliver(DISTRICT)
    with quarter.reading([DISTRICT]) as connection:
        assert len(push_store.list_phones(connection, DISTRICT, [account])) == 1, "it may be back"


def test_a_phone_is_told_once_and_until_it_says_so(quarter: Database, tmp_path: Path) -> None:
    app = create_app(Settings(data_folder=tmp_path, database_url=quarter.url, push_contact=CONTACT))
    shop = signed_in(app, Role.PARTNER, DISTRICT, body_id=BODY["p0"])
    key = shop.get(f"/api/shop/push{HERE}").json()["key"]
    assert key == public_key(tmp_path)
    for _ in range(2):
        body = {"id": ids.new_id(), "endpoint": GOOD}
        assert shop.post(f"/api/shop/push{HERE}", json=body).status_code == 200
    assert endpoints(quarter) == [GOOD]
    other = signed_in(app, Role.PARTNER, DISTRICT, body_id=BODY["p1"])
    assert other.post(f"/api/shop/push/end{HERE}", json={"endpoint": GOOD}).status_code == 200
    assert endpoints(quarter) == [GOOD], "nobody ends what is another's"
    assert shop.post(f"/api/shop/push/end{HERE}", json={"endpoint": GOOD}).status_code == 200
    assert endpoints(quarter) == []


def test_without_a_contact_nobody_is_told_that_way(quarter: Database, tmp_path: Path) -> None:
    app: FastAPI = create_app(Settings(data_folder=tmp_path, database_url=quarter.url))
    shop = signed_in(app, Role.PARTNER, DISTRICT, body_id=BODY["p0"])
    assert shop.get(f"/api/shop/push{HERE}").json()["key"] == ""
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize(
    "address",
    [
        "http://fcm.googleapis.com/x",
        "https://127.0.0.1/admin",
        "https://evilfcm.googleapis.com.example.org/x",
        "https://notfcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://me@fcm.googleapis.com/x",
        "https://[::1/x",
        "file:///etc/passwd",
    ],
)
def test_this_server_calls_no_address_of_somebodys_choice(
    quarter: Database, tmp_path: Path, address: str
) -> None:
    app = create_app(Settings(data_folder=tmp_path, database_url=quarter.url, push_contact=CONTACT))
    shop = signed_in(app, Role.PARTNER, DISTRICT, body_id=BODY["p0"])
    refused = shop.post(f"/api/shop/push{HERE}", json={"id": ids.new_id(), "endpoint": address})
    assert (refused.status_code, refused.json()["error"]) == (400, "push.service")
    assert endpoints(quarter) == []


def test_of_too_many_phones_the_oldest_makes_way(quarter: Database) -> None:
    keeper = actor_of(ids.new_id(), "p0", Role.PARTNER, BODY["p0"], (DISTRICT,))
    for number in range(push_actions.PHONES_MOST + 2):
        with quarter.transaction(DISTRICT) as tx:
            push_actions.want(
                tx,
                actor=keeper,
                id=ids.new_id(),
                endpoint=f"{GOOD}{number}",
                services=("fcm.googleapis.com",),
            )
    with quarter.reading([DISTRICT]) as connection:
        kept = push_store.list_phones(connection, DISTRICT, [keeper.id])
    assert len(kept) == push_actions.PHONES_MOST


def endpoints(database: Database) -> list[str]:
    """Every address that is told."""
    with database.reading([DISTRICT]) as connection:
        return [row.endpoint for row in connection.execute(push_store.phones.select())]


def test_after_a_long_pause_no_phone_is_skipped(
    quarter: Database, make: Make, service: Service, tmp_path: Path
) -> None:
    """More entries than are read at once lie before the notice."""
    phone_at(quarter, "p0", f"{service.url}/p0")
    push = WebPush(quarter, tmp_path, CONTACT)
    push.deliver(DISTRICT)
    with quarter.transaction(DISTRICT) as tx:
        for _ in range(1005):
            journal.record(tx, actor_id="a", kind=PartnerEvent.ANSWERED, subject_id="other")
    sent(quarter, make)
    push.deliver(DISTRICT)
    assert service.paths == ["/p0"]


def test_a_restart_skips_no_notice_and_tells_nobody_twice(
    quarter: Database, make: Make, service: Service, tmp_path: Path
) -> None:
    phone_at(quarter, "p0", f"{service.url}/p0")
    WebPush(quarter, tmp_path, CONTACT).deliver(DISTRICT)
    sent(quarter, make)
    for _ in range(2):
        WebPush(quarter, tmp_path, CONTACT).deliver(DISTRICT)
    assert service.paths == ["/p0"]


def test_what_a_service_does_not_take_is_tried_again_for_that_phone_until_it_is_read(
    quarter: Database, make: Make, service: Service, tmp_path: Path, night: MoveOn
) -> None:
    for shop in ("p0", "p1"):
        phone_at(quarter, shop, f"{service.url}/{shop}")
    push = WebPush(quarter, tmp_path, CONTACT)
    push.deliver(DISTRICT)
    service.away = {"/p1"}
    first = sent(quarter, make)
    for _ in range(2):
        push.deliver(DISTRICT)
    assert service.paths == ["/p0", "/p1"], "not before its pause is over"
    night(timedelta(seconds=6))
    service.away = set()
    for _ in range(2):
        WebPush(quarter, tmp_path, CONTACT).deliver(DISTRICT)
    assert service.paths == ["/p0", "/p1", "/p1"], "whom it reached is not told twice"
    service.away = {"/p1"}
    second = sent(quarter, make)
    push.deliver(DISTRICT)
    actions.open_all(quarter, DISTRICT, [ids.derived(one, "p1") for one in (first, second)])
    night(timedelta(seconds=6))
    push.deliver(DISTRICT)
    assert service.paths == ["/p0"] * 2 + ["/p1"] * 3, "who has read it is left alone"


def test_what_was_told_is_forgotten_after_a_week(
    quarter: Database, make: Make, service: Service, tmp_path: Path, night: MoveOn
) -> None:
    phone_at(quarter, "p0", f"{service.url}/p0")
    push = WebPush(quarter, tmp_path, CONTACT)
    push.deliver(DISTRICT)
    for _ in range(2):
        sent(quarter, make)
        push.deliver(DISTRICT)
        with quarter.reading([DISTRICT]) as connection:
            assert len(connection.execute(outgoing.outgoing.select()).all()) == 1
        night(timedelta(days=8))
