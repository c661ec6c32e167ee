"""The page of a shop, cold, in Chromium at a quarter of this machine's speed: until a notice can be answered.

From the beginning of the navigation (the browser's own clock) until the notice's first button stands and the
main thread has taken a task after it. Every load is a browser's first: nothing cached. The peer is the phone
app of patrols, in the same run, until its first button stands.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright
from tests.conftest import DISTRICT
from tests.partners.conftest import BODY, SHOPS, prepare
from tests.serving import PASSWORD, free_port, open_account

from anshang.foundation import ids, migrations
from anshang.foundation.database import Database
from anshang.partners import actions as partners
from anshang.partners.model import NoticeKind
from anshang.people.model import Role, operator_actor
from anshang.settings import Settings
from benchmarks import percentile, report
from benchmarks._ingest import await_port
from benchmarks._product import running
from benchmarks.paint import ARGUMENTS, CHROMIUM

LOADS = 15
SLOWER = 4
MOST_MS = 1000.0
SIZE: ViewportSize = {"width": 390, "height": 844}
READY = """
const look = () => {
  if (window.ready !== undefined || !document.querySelector(SELECTOR)) return;
  window.ready = null;
  const after = new MessageChannel();
  after.port1.onmessage = () => (window.ready = performance.now());
  after.port2.postMessage(null);
};
new MutationObserver(look).observe(document, { subtree: true, childList: true });
"""


def loads(browser: Browser, address: str, path: str, name: str, selector: str) -> list[float]:
    """Milliseconds of each first load, signed in."""
    took: list[float] = []
    signing = browser.new_context()
    assert signing.request.post(f"{address}/api/session", data={"name": name, "password": PASSWORD}).ok
    for _ in range(LOADS):
        context = browser.new_context(viewport=SIZE, storage_state=signing.storage_state())
        page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.add_init_script(READY.replace("SELECTOR", f"'{selector}'"))
        page.goto(f"{address}{path}")
        page.wait_for_function("() => typeof window.ready === 'number'", polling=50)
        took.append(page.evaluate("window.ready"))
        context.close()
    return took


def main() -> int:
    """Serve, load, report."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        settings = Settings(data_folder=Path(folder))
        database = Database(settings.resolved_database_url)
        migrations.upgrade(database)
        prepare(database)
        with database.transaction(DISTRICT) as tx:
            partners.send(
                tx, actor=operator_actor(DISTRICT), id=ids.new_id(), kind=NoticeKind.REQUEST, asks=True,
                partner_ids=SHOPS, words_zh="请看看门口", words_en="Please look outside",
            )  # fmt: skip
        keeper = open_account(database, Role.PARTNER, DISTRICT, body_id=BODY["p0"])
        patrol = open_account(database, Role.PATROL, DISTRICT)
        database.dispose()
        port = free_port()
        with running("serve", "--data", folder, port=port):
            await_port(port)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            address = f"http://127.0.0.1:{port}"
            ours = loads(browser, address, "/shop/", keeper, "article button")
            phone = loads(browser, address, "/field/", patrol, "button")
            browser.close()
    p95 = percentile(ours, 0.95)
    report(
        f"page of a shop, cold, CPU {SLOWER} times slower: until a notice can be answered, p95",
        p95, "ms", must=f"≤ {MOST_MS:g}", ok=p95 <= MOST_MS,
        peer="phone app of patrols, the same way", peer_value=percentile(phone, 0.95),
    )  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
