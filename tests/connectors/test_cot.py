"""Cursor on Target: a real TAK client's words are taken, what is torn or unknown never stops the server."""

from __future__ import annotations

import asyncio
import configparser
import socket
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from structlog.testing import capture_logs
from takproto import functions as tak
from takproto.constants import TAKProtoVer
from tests.conftest import DISTRICT
from tests.crowds.conftest import row_of_zones
from tests.dispatch.conftest import ADMIN, EAST, MIDDLE_LAT, WEST, Duty, MoveOn, lost
from tests.dispatch.conftest import duty as duty_fixture
from tests.serving import free_port, serving

from anshang.app import create_app
from anshang.connectors import cot as connector
from anshang.connectors import cot_devices
from anshang.connectors.cot import Cot, NotAnEvent, read_event
from anshang.foundation import clock, feeds
from anshang.foundation.database import Database
from anshang.foundation.jobs import JobReport
from anshang.incidents.model import Spot
from anshang.patrols import actions as patrols
from anshang.patrols import store as patrols_store
from anshang.people.actions import digest_of
from anshang.people.model import operator_actor
from anshang.places import actions as places
from anshang.settings import Settings
from anshang.worker import Worker

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it says which of its extras are not installed
    import pytak

duty = duty_fixture


def event(
    uid: str, lon: float = WEST, *, kind: str = "a-f-G-U-C", after_s: float = 1.0, more: str = ""
) -> bytes:
    """A position as ATAK writes it."""
    at = clock.now() + timedelta(seconds=after_s)
    time = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return (
        f'<event version="2.0" uid="{uid}" type="{kind}" how="m-g" time="{time}" start="{time}" stale="{time}">'
        f'<point lat="{MIDDLE_LAT}" lon="{lon}" hae="30" ce="7.5" le="9999999.0"/>'
        f'<detail><contact callsign="K1"/>{more}</detail></event>'
    ).encode()


@pytest.fixture
def cot(duty: Duty) -> Cot:
    feeds.begin_anew()
    return Cot(duty.database, duty.whereabouts)


@pytest.fixture
def key(duty: Duty) -> str:
    """The key of k1's device."""
    told: str = duty.act(patrols.give_key, actor=ADMIN, id="k1")
    return told


def forms(xml: bytes) -> list[bytes]:
    """An event in every form that is read."""
    versions = (TAKProtoVer.STREAM, TAKProtoVer.MESH)
    return [xml, *(bytes(tak.xml2proto(xml, version)) for version in versions)]


def test_a_position_is_taken_in_every_form(duty: Duty, cot: Cot, key: str) -> None:
    for number, after_s in enumerate((1.0, 20.0, 40.0)):
        told = forms(event(key, WEST + number * 0.0001, after_s=after_s))[number]
        assert cot.take(told) == DISTRICT
    fix = duty.whereabouts.latest(DISTRICT)["k1"]
    assert (round(fix.lon, 5), fix.accuracy_m, fix.source) == (round(WEST + 0.0002, 5), 7.5, "cot")
    assert (cot.tally.taken, cot.tally.refused) == (3, 0)


def test_the_key_may_be_the_callsign(duty: Duty, cot: Cot, key: str) -> None:
    told = event("ANDROID-1").replace(b'callsign="K1"', f'callsign="{key}"'.encode())
    assert cot.take(told) == DISTRICT


def test_the_unknown_are_dropped_and_the_impossible_refused_with_a_word(
    duty: Duty, cot: Cot, key: str
) -> None:
    assert cot.take(event("asu_guessed")) == ""
    assert cot.take(event(key, lon=0.0)) == DISTRICT
    assert cot.take(event(key, after_s=3600)) == DISTRICT
    assert cot.take(event(key, EAST + 0.05, after_s=2)) == DISTRICT, "nobody walks so fast"
    assert (cot.tally.unknown, cot.tally.refused, cot.tally.taken) == (1, 3, 0)
    [unassigned, theirs] = [
        one for one in feeds.list_records([feeds.UNASSIGNED, DISTRICT]) if one.feed is feeds.Feed.COT
    ]
    assert [one.reason.code for one in unassigned.refusals] == ["device.unknown"]
    assert {one.reason.about for one in theirs.refusals} == {"k1"}
    assert theirs.refused_count == 3


@contextmanager
def counted(database: Database) -> Iterator[list[object]]:
    """Every statement that any connection to the databases executes."""
    seen: list[object] = []

    def note(*told: object) -> None:
        seen.append(told[2])

    sqlalchemy.event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sqlalchemy.event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.postgres
def test_what_a_stranger_asks_of_the_database_does_not_grow_with_districts(
    duty: Duty, cot: Cot, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted(duty.database) as few:
        cot.take(event("asu_guessed.0"))
    for n in range(4):
        with duty.database.transaction(f"other{n}") as tx:
            places.import_document(
                tx,
                actor=operator_actor(f"other{n}"),
                document=row_of_zones().replace(DISTRICT.encode(), f"other{n}".encode()),
            )
    with counted(duty.database) as many:
        cot.take(event("asu_guessed.1"))
    with counted(duty.database) as again:
        for _ in range(10):
            cot.take(event("asu_guessed.1"))
    assert (len(many), len(again)) == (len(few), 0)
    assert cot.tally.unknown == 12


@pytest.mark.postgres
def test_a_device_that_is_registered_later_is_known_within_seconds(
    duty: Duty, cot: Cot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cot_devices, "UNKNOWN_FOR_S", 0.1)
    assert cot.take(event("asu_later")) == ""
    with duty.database.transaction(DISTRICT) as tx:
        unit = patrols_store.units.get(tx.connection, DISTRICT, "k1")
        patrols_store.units.put(tx, replace(unit, device_digest=digest_of("asu_later")))
    time.sleep(0.15)
    assert cot.take(event("asu_later")) == DISTRICT


def test_strangers_fill_no_memory(duty: Duty, cot: Cot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cot_devices, "UNKNOWN_MOST", 3)
    for n in range(6):
        cot.take(event(f"asu_{n}"))
    assert len(cot._devices._unknown) == 3


def test_other_words_of_a_client_are_no_positions(cot: Cot, key: str) -> None:
    assert cot.take(event(key, kind="t-x-c-t")) == ""
    assert cot.tally.unreadable == 0


@pytest.mark.parametrize(
    "torn",
    [
        b"",
        b"<event",
        b"hello",
        b'<!DOCTYPE x [<!ENTITY a "b">]><event/>',
        b"<event/>" * 9000,
        b"\xbf\x01\xbf\xff\xff",
        b'<event type="a-f" time="yesterday"><point lat="x"/></event>',
        b"\xff\xfe",
    ],
)
def test_what_is_torn_is_no_event(torn: bytes) -> None:
    with pytest.raises(NotAnEvent):
        read_event(torn)


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda tail: b"\xbf" + tail)))
def test_no_bytes_stop_the_reader(told: bytes) -> None:
    with suppress(NotAnEvent):
        read_event(told)


@given(st.data())
def test_an_event_with_some_bytes_changed_stops_nothing(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(forms(event("asu_x"))))
    at = data.draw(st.integers(0, len(whole) - 1))
    with suppress(NotAnEvent):
        read_event(whole[:at] + data.draw(st.binary(max_size=4)) + whole[at + 1 :])


@given(st.lists(st.sampled_from([0, 1, 2]), max_size=5), st.integers(1, 60))
async def test_a_stream_gives_whole_events_however_it_is_cut(which: list[int], cut: int) -> None:
    told = [forms(event("asu_x"))[number % 2] for number in which]
    whole = b"".join(told)
    reader = asyncio.StreamReader()
    for at in range(0, len(whole), cut):
        reader.feed_data(whole[at : at + cut])
    reader.feed_eof()
    assert [one async for one in connector.events_of(reader)] == told


async def test_who_sends_without_end_is_let_go() -> None:
    for endless in (b"<event " * 20_000, b"\xbf\xff\xff\xff\xff\x7f" + b"x" * 70_000):
        reader = asyncio.StreamReader()
        reader.feed_data(endless)
        with pytest.raises(NotAnEvent):
            _ = [one async for one in connector.events_of(reader)]


def test_what_goes_out_names_units_and_incidents_and_nobody(duty: Duty, cot: Cot, key: str) -> None:
    call = lost(duty, text="李女士的孩子走失 13800000000")
    shown = cot.shown(DISTRICT)
    assert [one.callsign for one in shown] == ["K1", "K2", "V1", "P2 0001"]
    for one in shown:
        xml = one.xml()
        cot_event = tak.xml2message(xml.decode()).cotEvent
        assert (cot_event.uid, cot_event.lon) == (one.uid, one.lon)
        assert not any(word in xml.decode() for word in ("李", "138", key, call.id))


@asynccontextmanager
async def served(cot: Cot, tcp: int, udp: int = 0, send_to: str = "") -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(cot.serve("127.0.0.1", tcp, udp, send_to, stop))
    await asyncio.sleep(0.05)
    yield
    stop.set()
    await task


def client_config(port: int, proto: int) -> configparser.SectionProxy:
    parser = configparser.ConfigParser()
    parser["tak"] = {"COT_URL": f"tcp://127.0.0.1:{port}", "TAK_PROTO": str(proto), "PYTAK_NO_HELLO": "1"}
    return parser["tak"]


async def heard_by(
    config: configparser.SectionProxy, reader: asyncio.StreamReader, proto: int
) -> AsyncIterator[bytes]:
    """What the client hears; over TCP PyTAK itself reads XML only, so its protobuf is read by us."""
    if proto:
        async for told in connector.events_of(reader):
            yield told
    worker = pytak.RXWorker(asyncio.Queue(), config, reader)
    while told := await worker.readcot():
        yield told


def callsign(stream: bytes) -> str:
    told: str = tak.parse_proto(bytearray(stream)).cotEvent.detail.contact.callsign
    return told


@pytest.mark.slow
@pytest.mark.parametrize("proto", [0, 1])
async def test_a_real_tak_client_exchanges_positions(
    duty: Duty, cot: Cot, key: str, proto: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyTAK over TCP, in XML and in protobuf: it tells k1's position and hears where everybody is."""
    monkeypatch.setattr(connector, "SEND_EVERY_S", 0.2)
    lost(duty)
    port = free_port()
    async with served(cot, port):
        config = client_config(port, proto)
        reader, writer = await pytak.protocol_factory(config)
        sent: asyncio.Queue[bytes] = asyncio.Queue()
        telling = asyncio.create_task(pytak.TXWorker(sent, config, writer).run())
        await sent.put(event(key, WEST + 0.0002))
        signs: set[str] = set()
        async with asyncio.timeout(10):
            async for told in heard_by(config, reader, proto):
                xml = proto == 0
                signs.add(tak.xml2message(told).cotEvent.detail.contact.callsign if xml else callsign(told))
                if {"K1", "K2", "V1", "P2 0001"} <= signs:
                    break
        telling.cancel()
        writer.close()
    assert round(duty.whereabouts.latest(DISTRICT)["k1"].lon, 5) == round(WEST + 0.0002, 5)


@pytest.mark.slow
async def test_who_has_not_proved_itself_hears_nothing(
    duty: Duty, cot: Cot, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "SEND_EVERY_S", 0.1)
    port = free_port()
    async with served(cot, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(event("asu_guessed"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(10), 0.6)
        writer.write(b"<event " * 20_000)
        assert await asyncio.wait_for(reader.read(10), 3) == b"", "and who talks without end is hung up on"
        writer.close()


async def hung_up(reader: asyncio.StreamReader) -> bool:
    """Whether the server ends the connection, whatever it still sends."""
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 10)
    return True


def reasons(district_id: str) -> list[str]:
    """Why something of TAK was refused."""
    [record] = [one for one in feeds.list_records([district_id]) if one.feed is feeds.Feed.COT]
    return [one.reason.code for one in record.refusals]


@pytest.mark.slow
async def test_a_house_full_of_strangers_has_room_for_a_device(
    duty: Duty, cot: Cot, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "CLIENTS_MOST", 2)
    monkeypatch.setattr(connector, "SEND_EVERY_S", 60.0)
    port = free_port()
    with capture_logs() as lines:
        async with served(cot, port):
            stranger, _kept = await asyncio.open_connection("127.0.0.1", port)
            devices: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
            for n in range(2):
                devices.append(await asyncio.open_connection("127.0.0.1", port))
                devices[n][1].write(event(key, WEST + n * 0.0001, after_s=1.0 + n * 20))
                async with asyncio.timeout(10):
                    while sum(bool(client.district_id) for client in cot._clients) <= n:
                        await asyncio.sleep(0.02)
            assert await hung_up(stranger)
            for _ in range(3):
                late, _kept = await asyncio.open_connection("127.0.0.1", port)
                assert await hung_up(late), "nobody who proved itself makes way"
            assert len(cot._clients) == 2
    assert [line["code"] for line in lines if line["event"] == "cot.let_go"] == ["cot.full"], "one line"
    assert reasons(feeds.UNASSIGNED) == ["cot.full"]


@pytest.mark.slow
async def test_a_client_that_does_not_read_is_let_go(
    duty: Duty, cot: Cot, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "SEND_EVERY_S", 0.02)
    monkeypatch.setattr(connector, "UNREAD_MAX", 20_000)
    port = free_port()
    async with served(cot, port):
        deaf = socket.create_connection(("127.0.0.1", port), 5)
        while not cot._clients:
            await asyncio.sleep(0.01)
        [client] = cot._clients
        for end in (deaf, client.writer.get_extra_info("socket")):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        deaf.sendall(event(key))
        most = 0
        async with asyncio.timeout(20):
            while cot._clients:
                most = max(most, client.writer.transport.get_write_buffer_size())
                await asyncio.sleep(0.01)
        deaf.close()
    assert most < 40_000
    assert reasons(DISTRICT) == ["cot.does_not_read"]


@pytest.mark.slow
async def test_datagrams_are_heard_and_sent(
    duty: Duty, cot: Cot, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "SEND_EVERY_S", 0.1)
    came: asyncio.Queue[bytes] = asyncio.Queue()

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            came.put_nowait(data)

    loop = asyncio.get_running_loop()
    ear, _ = await loop.create_datagram_endpoint(Ear, local_addr=("127.0.0.1", 0))
    port = ear.get_extra_info("sockname")[1]
    udp = free_port()
    async with served(cot, 0, udp, f"127.0.0.1:{port}"):
        ear.sendto(forms(event(key, WEST + 0.0003))[2], ("127.0.0.1", udp))
        ear.sendto(b"\xbf\x01\xbf rubbish", ("127.0.0.1", udp))
        async with asyncio.timeout(5):
            while cot.tally.taken == 0:
                await asyncio.sleep(0.02)
            assert b"anshang.wuyi.unit." in await came.get()
    ear.close()
    assert cot.tally.unreadable == 1


def test_an_incident_without_a_point_and_a_stale_unit_are_not_shown(
    duty: Duty, cot: Cot, night: MoveOn
) -> None:
    lost(duty, spot=Spot(zone_id="z1"))
    night(timedelta(minutes=3))
    assert cot.shown(DISTRICT) == []


@pytest.mark.slow
def test_a_port_that_is_set_is_opened_by_the_server_and_closed_with_it(tmp_path: Path) -> None:
    port = free_port()
    app = create_app(Settings(data_folder=tmp_path, cot_host="127.0.0.1", cot_tcp_port=port))
    with serving(app), socket.create_connection(("127.0.0.1", port), 5):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)


@pytest.mark.slow
def test_tak_and_mqtt_begin_again_in_the_server_after_what_nobody_foresaw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port is opened anew, and the broker followed anew."""
    monkeypatch.setattr("anshang.foundation.items.PAUSE_S_MIN", 0.05)
    monkeypatch.setattr(connector, "SEND_EVERY_S", 0.05)
    whole, died, followed = Cot._tell, list[str](), list[object]()

    async def tell(cot: Cot, *told: object) -> None:
        if not died:
            died.append("tak")
            raise RuntimeError("nobody foresaw it")
        await whole(cot, *told)  # type: ignore[arg-type]

    async def follow(**told: object) -> None:
        followed.append(told["host"])
        if len(followed) == 1:
            raise RuntimeError("nobody foresaw it")
        await told["stop"].wait()  # type: ignore[attr-defined]

    monkeypatch.setattr(Cot, "_tell", tell)
    monkeypatch.setattr("anshang.connectors.mqtt.follow", follow)
    port = free_port()
    settings = Settings(data_folder=tmp_path, cot_host="127.0.0.1", cot_tcp_port=port, mqtt_host="broker")
    app = create_app(settings)
    with serving(app):
        until = time.monotonic() + 20
        tasks: dict[str, JobReport] = {}
        while time.monotonic() < until and not (followed[1:] and "patrols.tak" in tasks):
            time.sleep(0.02)
            reports = app.state.services[Worker].supervisor.report()
            tasks = {one.name: one for one in reports if died and one.last_ok_at is not None}
        assert "patrols.tak" in tasks
        assert followed == ["broker", "broker"]
        with socket.create_connection(("127.0.0.1", port), 5):
            pass
