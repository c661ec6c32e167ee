"""1,000 partners online: from the desk's look-out to its words on every page, then 1,000 answers.

The server runs in a process of its own; partners are bare sockets that hold a stream and are told every
notice, all in one process beside it. The peer is the plain way to the same end: every page asks again once a
second, and nothing is pushed.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from tests.crowds.conftest import row_of_zones

from anshang.app import create_app
from anshang.foundation import ids
from anshang.foundation.database import Database
from anshang.journal.model import EVERYWHERE
from anshang.partners import actions as partners
from anshang.partners.model import Partner, Side
from anshang.people import actions as people
from anshang.people.actions import PasswordHash
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places
from anshang.settings import Settings
from anshang.web.session import COOKIE, CSRF_HEADER, Runtime
from benchmarks import percentile, report

DISTRICT, PARTNERS, PORT = "wuyi", 1_000, 8791
MOST_SHOWN_S, MOST_ANSWERED_S = 2.0, 10.0
AT_ONCE = 64
LASTS = timedelta(hours=12)
OPERATOR = operator_actor(DISTRICT)
Session = tuple[str, str, str, str]
"""Partner, session token, CSRF token, body; the desk's has no partner."""


def prepare(folder: Path) -> list[Session]:
    """A district without walkways, where a look-out goes to everybody; a desk and the partners, signed in."""
    app = create_app(Settings(data_folder=folder))
    database: Database = app.state.services[Runtime].database
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=OPERATOR, document=row_of_zones())
    sessions: list[Session] = []
    with database.transaction(EVERYWHERE) as tx:
        for number in range(PARTNERS + 1):
            body = people.register_body(
                tx, actor=OPERATOR, id=ids.new_id(), name_zh=f"{number}", name_en=f"{number}"
            )
            account = people.open_account(
                tx, actor=OPERATOR, id=ids.new_id(), name=f"a{number}", display_name=f"{number}",
                role=Role.PARTNER if number else Role.DESK, body_id=body.id if number else None,
                district_ids=(DISTRICT,), password=PasswordHash("none"),
            )  # fmt: skip
            token, session = people.open_session(tx, account=account, lasts=LASTS)
            sessions.append((f"p{number}" if number else "", token, session.csrf_token, body.id))
    with database.transaction(DISTRICT) as tx:
        for partner_id, _token, _csrf, body_id in sessions[1:]:
            partners.enter(
                tx, actor=OPERATOR,
                partner=Partner(partner_id, DISTRICT, body_id, partner_id, partner_id, Side.SHOP),
            )  # fmt: skip
    database.dispose()
    return sessions


def serve(folder: str) -> None:
    """The product, until it is ended."""
    app = create_app(Settings(data_folder=Path(folder)))
    uvicorn.run(app, port=PORT, log_level="error", backlog=2_048)


async def ask(session: Session, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    """One request on a connection of its own; status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: {COOKIE}={session[1]}\r\n"
        f"{CSRF_HEADER}: {session[2]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    writer.write(head.encode() + content)
    answer = await reader.read(-1)
    writer.close()
    return int(answer[9:12]), answer.partition(b"\r\n\r\n")[2]


async def follow(
    session: Session, shown_s: dict[str, float], notice: dict[str, str], ready: asyncio.Event
) -> None:
    """A page that is told."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(
        f"GET /api/shop/live?district={DISTRICT} HTTP/1.1\r\nHost: x\r\n"
        f"Cookie: {COOKIE}={session[1]}\r\n\r\n".encode()
    )
    while chunk := await reader.read(1 << 14):
        if b"beat" in chunk:
            ready.set()
        if b"event: notice" in chunk and notice["id"].encode() in chunk and b"raincoats" in chunk:
            shown_s.setdefault(session[0], time.monotonic())
            break
    writer.close()


async def poll(session: Session, shown_s: dict[str, float], notice: dict[str, str], phase_s: float) -> None:
    """The peer: a page that asks once a second."""
    await asyncio.sleep(phase_s)
    while session[0] not in shown_s:
        began_s = time.monotonic()
        await look(session, shown_s, notice)
        await asyncio.sleep(max(0.0, 1.0 - (time.monotonic() - began_s)))


async def look(session: Session, shown_s: dict[str, float], notice: dict[str, str]) -> None:
    """Ask for the page; when it shows the notice, say when."""
    _, page = await ask(session, "GET", f"/api/shop?district={DISTRICT}")
    if notice["id"].encode() in page:
        shown_s.setdefault(session[0], time.monotonic())


async def open_lookout(desk: Session, notice: dict[str, str]) -> float:
    """Open a look-out that everybody gets; the instant at which it was accepted."""
    body = {
        "id": ids.new_id(), "notice_id": notice["id"], "sort": "group",
        "seen_at": datetime.now(UTC).isoformat(), "lon": 112.97, "lat": 28.19,
        "words_zh": "三人，黄色雨衣", "words_en": "Three people in yellow raincoats",
        "insist": True,
    }  # fmt: skip
    status, answer = await ask(desk, "POST", f"/api/lookouts?district={DISTRICT}", body)
    assert status == 200, answer
    return time.monotonic()


async def pushed(sessions: list[Session]) -> tuple[list[float], str]:
    """How late each page shows the notice (s) when it is pushed, and the notice."""
    notice, shown_s = {"id": ids.new_id()}, {}
    ready = [asyncio.Event() for _ in sessions[1:]]
    pages = []
    for session, event in zip(sessions[1:], ready, strict=True):
        pages.append(asyncio.ensure_future(follow(session, shown_s, notice, event)))
        if len(pages) % 100 == 0:
            await asyncio.sleep(0.2)
    await asyncio.wait_for(asyncio.gather(*(event.wait() for event in ready)), 60)
    accepted_s = await open_lookout(sessions[0], notice)
    await asyncio.wait_for(asyncio.gather(*pages), 60)
    assert len(shown_s) == PARTNERS, len(shown_s)
    return [max(0.0, each - accepted_s) for each in shown_s.values()], notice["id"]


async def polled(sessions: list[Session]) -> list[float]:
    """The same by asking once a second."""
    notice, shown_s = {"id": ids.new_id()}, {}
    pages = [
        asyncio.ensure_future(poll(session, shown_s, notice, number / PARTNERS))
        for number, session in enumerate(sessions[1:])
    ]
    await asyncio.sleep(3)
    accepted_s = await open_lookout(sessions[0], notice)
    await asyncio.wait_for(asyncio.gather(*pages), 120)
    return [max(0.0, each - accepted_s) for each in shown_s.values()]


async def answer_all(sessions: list[Session], notice_id: str) -> tuple[float, int]:
    """Every partner answers; seconds it took, and how many answers the desk then counts."""
    waiting = iter(sessions[1:])

    async def some() -> None:
        for session in waiting:
            body = {"partner_id": session[0], "answer": "not_here", "looked": ["floor"]}
            status, answer = await ask(
                session, "POST", f"/api/shop/notices/{notice_id}?district={DISTRICT}", body
            )
            assert status == 200, answer

    began_s = time.monotonic()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    took_s = time.monotonic() - began_s
    _, page = await ask(sessions[0], "GET", f"/api/notices/{notice_id}?district={DISTRICT}")
    return took_s, json.loads(page)["tally"]["answers"]["not_here"]


async def measure(sessions: list[Session]) -> tuple[list[float], list[float], float, int]:
    """All three."""
    for _ in itertools.count():
        try:
            await ask(sessions[0], "GET", "/api/health")
            break
        except OSError:
            await asyncio.sleep(0.2)
    late_s, notice_id = await pushed(sessions)
    took_s, counted = await answer_all(sessions, notice_id)
    return late_s, await polled(sessions), took_s, counted


def main() -> None:
    """Measure, report."""
    with tempfile.TemporaryDirectory() as folder:
        sessions = prepare(Path(folder))
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(folder,), daemon=True)
        process.start()
        late_s, peer_s, took_s, counted = asyncio.run(measure(sessions))
        process.terminate()
        process.join()
    shown_s = percentile(late_s, 0.95)
    report(
        "notices.shown_on_1000_pages",
        shown_s,
        "s",
        must=f"<= {MOST_SHOWN_S} s (p95)",
        ok=shown_s <= MOST_SHOWN_S,
        peer="pages that ask each second",
        peer_value=percentile(peer_s, 0.95),
    )
    report(
        "notices.1000_answers",
        took_s,
        "s",
        must=f"<= {MOST_ANSWERED_S} s, none of {PARTNERS} lost",
        ok=took_s <= MOST_ANSWERED_S and counted == PARTNERS,
    )


if __name__ == "__main__":
    main()
