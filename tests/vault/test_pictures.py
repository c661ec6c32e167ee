"""A picture costs the server little, however large it says it is, and however many come at once."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image
from starlette.testclient import TestClient
from tests.conftest import DISTRICT
from tests.serving import serving, signed_in
from tests.web.conftest import app as app_fixture

from anshang.foundation import ids
from anshang.foundation.errors import BadInput
from anshang.people.model import Role
from anshang.vault.api import PICTURES
from anshang.vault.pictures import PIXELS_MAX, plain_jpeg

app = app_fixture
OCTETS = {"Content-Type": "application/octet-stream"}


def black(width: int, height: int, kind: str = "PNG", mode: str = "L", **more: object) -> bytes:
    """All of one colour: a small file of many pixels."""
    written = io.BytesIO()
    Image.new(mode, (width, height)).save(written, kind, **more)
    return written.getvalue()


def peak_mb() -> float:
    """The most memory this process has held since the count began anew."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        black(7700, 7700),
        black(5100, 5000, "WEBP", "RGB"),
        black(5100, 5000, "JPEG", "RGB", progressive=True),
        black(8000, 7600, "JPEG"),
    ],
    ids=["png", "webp", "progressive", "jpeg"],
)
def test_a_picture_of_too_many_pixels_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput, match=r"photo\.unreadable"):
        plain_jpeg(content)


@pytest.mark.slow
def test_a_photograph_of_a_telephone_s_forty_eight_megapixels_is_taken() -> None:
    with Image.open(io.BytesIO(plain_jpeg(black(8000, 6000, "JPEG", "RGB")))) as opened:
        assert opened.size == (1600, 1200)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "I;16", "1"])
def test_every_kind_of_pixel_becomes_a_small_photograph(mode: str) -> None:
    with Image.open(io.BytesIO(plain_jpeg(black(1700, 20, mode=mode)))) as opened:
        assert (opened.size, opened.mode) == ((1600, 19), "RGB")


@pytest.mark.slow
def test_many_large_pictures_at_once_take_the_memory_of_one(app: FastAPI) -> None:
    client = signed_in(app, Role.PATROL, DISTRICT)
    headers = (
        dict(client.headers) | OCTETS | {"Cookie": f"anshang_session={client.cookies['anshang_session']}"}
    )
    content = black(5000, PIXELS_MAX // 5000, mode="RGBA")
    with serving(app) as address:

        def send(_number: int) -> int:
            path = f"/api/photos/{ids.new_id()}?district={DISTRICT}&purpose=report&of={ids.new_id()}"
            return httpx.post(f"{address}{path}", content=content, headers=headers, timeout=60).status_code

        send(0)  # Pillow is loaded
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_mb()
        with ThreadPoolExecutor(8) as senders:
            assert set(senders.map(send, range(8))) == {200}
    assert peak_mb() - before < 450


def test_an_account_sends_so_many_pictures_a_minute_and_is_told_to_wait(app: FastAPI) -> None:
    patrol, other = (signed_in(app, Role.PATROL, DISTRICT) for _ in range(2))
    path = f"/api/photos/{{}}?district={DISTRICT}&purpose=report&of={ids.new_id()}"
    content = black(8, 8)

    def send(client: TestClient) -> httpx.Response:
        return client.post(path.format(ids.new_id()), content=content, headers=OCTETS)

    assert {send(patrol).status_code for _ in range(PICTURES.most)} == {200}
    refused = send(patrol)
    assert (refused.status_code, refused.json()["error"]) == (429, "photo.throttled")
    assert refused.headers["Retry-After"] == "60"
    assert send(other).status_code == 200


@pytest.mark.parametrize("role", [Role.DESK, Role.VOLUNTEER, Role.PARTNER])
def test_every_role_that_sends_pictures_has_that_budget(app: FastAPI, role: Role) -> None:
    body = {"id": ids.new_id(), "name_zh": "商铺", "name_en": "Shop"}
    assert signed_in(app, Role.ADMIN, DISTRICT).post("/api/bodies", json=body).status_code == 200
    sender = signed_in(app, role, DISTRICT, body_id=body["id"] if role is Role.PARTNER else None)
    path = f"/api/photos/{{}}?district={DISTRICT}&purpose=report&of={ids.new_id()}"
    sent = [
        sender.post(path.format(ids.new_id()), content=b"no picture", headers=OCTETS)
        for _ in range(PICTURES.most + 1)
    ]
    assert (sent[-1].status_code, sent[-1].json()["error"]) == (429, "photo.throttled")
    assert all(one.status_code != 429 for one in sent[:-1])
