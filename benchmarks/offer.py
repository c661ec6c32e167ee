"""From one phone to another, and from a report to the desk's screen: 95th percentiles, loopback.

The real server in a process of its own; phones and desk through the public interface. (1) A phone says that
it cannot go; the next unit is asked by itself; the clock stops when that unit's phone has the task: it
listens at /api/field/live and asks /api/field when it is nudged, as the app does. The peer asks every second
instead. (2) A report is accepted; the clock stops when Chromium has painted it in the queue of a desk.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import sync_playwright
from tests.dispatch.conftest import EAST, MIDDLE_LAT, WEST, street
from tests.serving import PASSWORD, free_port, open_account

from anshang.foundation import clock, ids, migrations
from anshang.foundation.database import Database
from anshang.patrols import actions as patrols
from anshang.patrols.model import Unit, UnitStatus
from anshang.people.model import Role, operator_actor
from anshang.places import actions as places
from anshang.settings import Settings
from benchmarks import percentile, report
from benchmarks._ingest import await_port
from benchmarks._product import running
from benchmarks.paint import ARGUMENTS, CHROMIUM

DISTRICT = "wuyi"
ROUNDS = 40
MOST_OFFER_MS, MOST_PAINT_MS = 500.0, 250.0
PEER_EVERY_S = 1.0
LONG_S = 10.0
OBSERVE = """
window.painted = {};
new MutationObserver(() => {
  for (const row of document.querySelectorAll("[data-matter]")) {
    const id = row.getAttribute("data-matter");
    if (id in window.painted) continue;
    window.painted[id] = null;
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => (window.painted[id] = performance.timeOrigin + performance.now());
      after.port2.postMessage(null);
    });
  }
}).observe(document, { subtree: true, childList: true });
"""


@dataclass
class Client:
    """Somebody signed in."""

    http: httpx.Client
    account_id: str
    tasks_at: dict[str, float] = field(default_factory=dict)

    def post(self, path: str, **body: Any) -> Any:
        answer = self.http.post(path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None


def enter(url: str, name: str) -> Client:
    """Sign in."""
    http = httpx.Client(base_url=url, params={"district": DISTRICT}, timeout=30)
    told = http.post("/api/session", json={"name": name, "password": PASSWORD}).json()
    http.headers["X-CSRF-Token"] = told["csrf_token"]
    return Client(http, told["account"]["id"])


def set_up(folder: Path) -> list[str]:
    """A street with two units; the sign-in names of a desk and two patrols."""
    database = Database(Settings(data_folder=folder).resolved_database_url)
    migrations.upgrade(database)
    operator = operator_actor(DISTRICT)
    with database.transaction(DISTRICT) as tx:
        places.import_document(tx, actor=operator, document=street())
        for id in ("k1", "k2"):
            unit = Unit(
                id, DISTRICT, "officer_pair", id, id, id, None, None, UnitStatus.OFF_DUTY, clock.now()
            )
            patrols.define_unit(tx, actor=operator, unit=unit)
    names = [open_account(database, role, DISTRICT) for role in (Role.DESK, Role.PATROL, Role.PATROL)]
    database.dispose()
    return names


def begin(phone: Client, unit_id: str, lon: float) -> None:
    """On duty, with a position."""
    phone.post(f"/api/units/{unit_id}/duty", id=ids.new_id(), crew=[phone.account_id])
    tell_position(phone, lon)


def tell_position(phone: Client, lon: float) -> None:
    at = clock.now().isoformat()
    phone.post("/api/positions", positions=[{"at": at, "lon": lon, "lat": MIDDLE_LAT, "accuracy_m": 5.0}])


def look(phone: Client) -> None:
    """Ask for the phone's state, and note when a task is first there."""
    for task in phone.http.get("/api/field").json()["tasks"]:
        phone.tasks_at.setdefault(task["incident_id"], time.monotonic())


def listening(phone: Client, stop: threading.Event) -> None:
    """As the app: ask when nudged."""
    with phone.http.stream("GET", "/api/field/live") as answer:
        for line in answer.iter_lines():
            if stop.is_set():
                return
            if line == "event: nudge":
                look(phone)


def polling(phone: Client, stop: threading.Event) -> None:
    """As the peer: ask each second."""
    while not stop.wait(PEER_EVERY_S):
        look(phone)


def offers_ms(desk: Client, first: Client, second: Client) -> list[float]:
    """Each round: k1 is asked, says it cannot, and the second phone gets the task."""
    waits = []
    for number in range(ROUNDS):
        tell_position(first, WEST + 0.0001)
        tell_position(second, EAST - 0.0001)
        place = {"lon": WEST + 0.0002, "lat": MIDDLE_LAT}
        told = {"source": "phone", "text": str(number), "category_id": "help", "place": place}
        incident = desk.post("/api/incidents", id=ids.new_id(), **told)
        id = ids.new_id()
        desk.post(f"/api/incidents/{incident['id']}/assignments", id=id, unit_id="k1")
        began_s = time.monotonic()
        first.post(f"/api/assignments/{id}/answer", accepted=False, reason="too_far")
        waits.append(waited_ms(lambda incident=incident: second.tasks_at.get(incident["id"]), began_s))
        page = desk.http.get(f"/api/incidents/{incident['id']}").json()
        desk.post(f"/api/incidents/{incident['id']}/clear", outcome="x", version=page["version"])
        time.sleep(0.3)
    return waits


def waited_ms(found: Callable[[], float | None], began_s: float) -> float:
    """How long until it is there; as long as we wait when it never comes."""
    while (at_s := found()) is None:
        if time.monotonic() - began_s > LONG_S:
            return LONG_S * 1000
        time.sleep(0.001)
    return (at_s - began_s) * 1000


def painted_ms(url: str, desk: Client, name: str) -> list[float]:
    """From the answer to a report until its row is painted at a desk in Chromium."""
    waits = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1920, "height": 1080})
        context.request.post(f"{url}/api/session", data={"name": name, "password": PASSWORD})
        page = context.new_page()
        page.add_init_script(OBSERVE)
        page.goto(f"{url}/?view=table")
        page.get_by_test_id("live-age").wait_for()
        page.wait_for_timeout(3000)
        for number in range(ROUNDS):
            id = ids.new_id()
            desk.post("/api/incidents", id=id, source="phone", text=f"report {number}", category_id="help")
            accepted_ms = time.time() * 1000
            page.wait_for_function("(id) => window.painted[id]", arg=id, timeout=LONG_S * 1000)
            waits.append(page.evaluate("(id) => window.painted[id]", id) - accepted_ms)
            told = desk.http.get(f"/api/incidents/{id}").json()
            desk.post(f"/api/incidents/{id}/cancel", outcome="x", version=told["version"])
            page.wait_for_timeout(150)
        browser.close()
    return waits


def main() -> None:
    """Measure, report."""
    with tempfile.TemporaryDirectory() as folder:
        names = set_up(Path(folder))
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with running("serve", "--data", folder, port=port):
            await_port(port)
            desk, first, second = (enter(url, name) for name in names)
            begin(first, "k1", WEST)
            begin(second, "k2", EAST)
            rounds = []
            for how in (listening, polling):
                stop = threading.Event()
                threading.Thread(target=how, args=(second, stop), daemon=True).start()
                time.sleep(0.5)
                rounds.append(percentile(offers_ms(desk, first, second), 0.95))
                stop.set()
            report(
                "offer.phone_to_phone_p95",
                rounds[0],
                "ms",
                must=f"<= {MOST_OFFER_MS:g} ms",
                ok=rounds[0] <= MOST_OFFER_MS,
                peer="asking every second",
                peer_value=rounds[1],
            )
            paint = percentile(painted_ms(url, desk, names[0]), 0.95)
            must = f"<= {MOST_PAINT_MS:g} ms"
            report("report.painted_p95", paint, "ms", must=must, ok=paint <= MOST_PAINT_MS)


if __name__ == "__main__":
    main()
