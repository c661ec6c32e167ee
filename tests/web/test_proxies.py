"""Who is who behind a proxy: the examples of the installation guide, started as they stand there."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.serving import PASSWORD, free_port, open_account, serving, signed_in

from anshang.app import create_app
from anshang.foundation import clock
from anshang.foundation.certificates import make_certificate
from anshang.foundation.database import Database
from anshang.people.model import Role
from anshang.settings import Settings
from anshang.web.session import Runtime

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "installation.md"
TRIES = Settings().sign_in_tries_per_minute


def example(language: str) -> str:
    """The guide's block in the language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    return str(found)


@contextmanager
def started(words: list[str | Path], address: str) -> Iterator[None]:
    """A proxy that answers, ended afterwards."""
    proxy = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            assert proxy.poll() is None, "the proxy ended"
            try:
                httpx.get(f"{address}/api/health", verify=False, timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield
    finally:
        proxy.terminate()
        proxy.wait(10)


@contextmanager
def nginx(backend: str, folder: Path) -> Iterator[str]:
    if (program := shutil.which("nginx")) is None:
        pytest.skip("nginx is not installed")
    make_certificate(folder, ["127.0.0.1"], clock.now())
    port = free_port()
    told = example("nginx").replace("443", f"127.0.0.1:{port}").replace("http://127.0.0.1:8765", backend)
    told = told.replace("/etc/ssl/anshang", str(folder))
    file = folder / "nginx.conf"
    paths = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"user {getpass.getuser()}; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}} "
    file.write_text(f"{head} http {{ access_log off; {paths} {told} }}")
    with started([program, "-c", file, "-p", folder], f"https://127.0.0.1:{port}"):
        yield f"https://127.0.0.1:{port}"


@contextmanager
def caddy(backend: str, folder: Path) -> Iterator[str]:
    if (program := shutil.which("caddy")) is None:
        pytest.skip("caddy is not installed")
    address = f"http://127.0.0.1:{free_port()}"
    told = example("caddy").replace("desk.example.org", address)
    file = folder / "Caddyfile"
    file.write_text(
        "{\nadmin off\ngrace_period 1s\n}\n" + told.replace("127.0.0.1:8765", backend.removeprefix("http://"))
    )
    with started([program, "run", "--adapter", "caddyfile", "--config", file], address):
        yield address


@pytest.mark.slow
@pytest.mark.parametrize("proxy", [nginx, caddy], ids=["nginx", "caddy"])
def test_nobody_behind_the_guide_s_proxy_pretends_to_be_others(
    app: FastAPI, proxy: object, tmp_path: Path
) -> None:
    """A header that the caller sends is worth nothing, and what the proxy says is believed."""
    name = open_account(app.state.services[Runtime].database, Role.DESK, DISTRICT)
    (folder := tmp_path / "proxy").mkdir()
    with (
        serving(app, trusted_proxies="127.0.0.1") as backend,
        proxy(backend, folder) as address,  # type: ignore[operator]
        httpx.Client(base_url=address, verify=False) as client,
    ):
        words = {"name": name, "password": PASSWORD}
        first = client.post("/api/session", json=words)
        assert first.status_code == 200
        checked = client.get(f"/api/check?district={DISTRICT}").json()
        assert [one["state"] for one in checked if one["name"] == "proxy.trusted"] == ["ok"]
        with client.stream("GET", f"/api/live?district={DISTRICT}") as stream:
            assert next(stream.iter_bytes()), "the stream is not held back"
        picture = client.post(f"/api/photos/x?district={DISTRICT}", content=bytes(9_000_000))
        assert picture.status_code in (403, 422), "a photograph's size is let through"
        tries = [
            client.post(
                "/api/session", json=words | {"password": "x"}, headers={"X-Forwarded-For": f"10.0.0.{n}"}
            ).status_code
            for n in range(TRIES + 2)
        ]
        assert tries == [401] * (TRIES - 1) + [429] * 3


def test_nobody_is_believed_who_is_not_named_as_a_proxy_and_the_check_says_so(app: FastAPI) -> None:
    desk = signed_in(app, Role.DESK, DISTRICT)
    told = {"X-Forwarded-For": "10.0.0.1"}
    with serving(app) as address:
        cookies = {"anshang_session": desk.cookies["anshang_session"]}
        points = httpx.get(f"{address}/api/check?district={DISTRICT}", cookies=cookies, headers=told).json()
        (point,) = (one for one in points if one["name"] == "proxy.trusted")
        assert (point["state"], point["params"]) == ("warn", {"address": "127.0.0.1"})
        tries = [
            httpx.post(
                f"{address}/api/session",
                json={"name": "lin", "password": "x"},
                headers={"X-Forwarded-For": f"10.0.0.{n}"},
            ).status_code
            for n in range(TRIES + 1)
        ]
        assert tries[-1] == 429


def test_a_page_s_name_leads_to_its_folder_on_whatever_host_was_asked(app: FastAPI) -> None:
    client = TestClient(app, follow_redirects=False, headers={"Host": "evil.example"})
    for asked, leads_to in (
        ("/here?d=wuyi&p=p1", "/here/?d=wuyi&p=p1"),
        ("/shop", "/shop/"),
        ("/field", "/field/"),
    ):
        answer = client.get(asked)
        if answer.status_code == 404:
            pytest.skip("the console is not built")
        assert (answer.status_code, answer.headers["location"]) == (307, leads_to)
    for asked in ("/api/health/", "/api/matters/?district=wuyi"):
        answer = client.get(asked)
        assert "location" not in answer.headers and answer.status_code == 404


@pytest.mark.parametrize("https", [False, True])
def test_browsers_are_told_to_stay_with_https_where_we_serve_it(
    database: Database, tmp_path: Path, https: bool
) -> None:
    app = create_app(Settings(data_folder=tmp_path, database_url=database.url, https=https))
    answer = TestClient(app).get("/api/health")
    assert ("strict-transport-security" in answer.headers) is https
    app.state.services[Runtime].database.dispose()


def test_the_server_does_not_say_what_it_is_made_of(app: FastAPI) -> None:
    with serving(app) as address:
        assert "server" not in httpx.get(f"{address}/api/health").headers
