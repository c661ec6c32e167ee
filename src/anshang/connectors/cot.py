"""Cursor on Target: TAK clients tell where units are, and are told where units and open incidents are.

TCP (a stream of XML events, or TAK protocol 1 in its stream form) and UDP (one event a datagram, XML or mesh
form). A device proves itself with its unit's key, as its uid or its callsign; what is unknown is dropped and
counted, and the key is never logged nor sent on. Who has proved itself over TCP gets the units and incidents
of its district every few seconds, in the form it speaks; `send_to` gets them over UDP, for a network one
trusts. No text of an incident goes out, and nothing of people.

What comes is not trusted: no document types and entities, no event over 64 KB, nobody who is silent for long
or does not read, and no more connections than a limit, for which strangers make way first.
"""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from xml.sax.saxutils import quoteattr

import structlog
from google.protobuf.message import DecodeError
from takproto import functions as tak
from takproto.constants import TAKProtoVer

from anshang.connectors.cot_devices import Devices
from anshang.foundation import clock, feeds
from anshang.foundation.database import Database
from anshang.foundation.feeds import Feed, Reason
from anshang.foundation.jobs import Progress
from anshang.incidents import store as incidents
from anshang.matters import store as matters
from anshang.matters.model import MatterKind
from anshang.patrols import store as patrols
from anshang.patrols.kinds import KINDS
from anshang.patrols.model import Unit
from anshang.patrols.positions import Told
from anshang.patrols.whereabouts import STALE_S, Whereabouts, duty_of
from anshang.people.model import engine_actor
from anshang.places import store as places

EVENT_MAX = 65_536
READ_MAX = 16_384
SILENT_S = 300.0
SEND_EVERY_S = 5.0
CLIENTS_MOST = 200
UNREAD_MAX = 262_144
"""Bytes that wait for a client since the last time it was told something."""
INCIDENT_LASTS = timedelta(seconds=60)
STREAM_SIGN = 0xBF
MESH_SIGN = b"\xbf\x01\xbf"
XML_END = b"</event>"
VARINT_BITS, VARINT_MAX_BYTES = 7, 5
UNSURE = 9_999_999.0
"""What CoT says of an error that nobody knows."""
_BAD_VALUES = (ValueError, TypeError, KeyError, IndexError, OverflowError, EOFError, AttributeError)
UNREADABLE = (ET.ParseError, DecodeError, *_BAD_VALUES)
"""What the library raises for events that are torn; AttributeError for those of no form it knows."""

UNKNOWN = Reason(
    "device.unknown",
    "An event of a device whose uid and callsign are no unit's key.",
    "设备的 uid 和呼号都不是任何单位的密钥。",
)
NOT_READ = Reason(
    "cot.unreadable",
    "An event that cannot be read, or a connection that was silent for too long.",
    "无法读取的事件，或长时间无数据的连接。",
)
FULL = Reason(
    "cot.full",
    f"More than {CLIENTS_MOST} connections at once; those of unknown devices make way first.",
    f"同时连接超过 {CLIENTS_MOST} 个；未知设备的连接优先断开。",
)
DOES_NOT_READ = Reason(
    "cot.does_not_read",
    "A client that does not read what it is sent was disconnected.",
    "客户端不接收发送给它的数据，已断开连接。",
)

log = structlog.get_logger()


class NotAnEvent(Exception):
    """What came is no event that we read."""


@dataclass(slots=True)
class Tally:
    """What came since the start: positions taken and refused, events of unknown devices, unreadable ones."""

    taken: int = 0
    refused: int = 0
    unknown: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Heard:
    """A position as a TAK client tells it; `keys` are the words that may be its device's key."""

    keys: tuple[str, ...]
    told: Told


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that goes out: its event in CoT's terms."""

    uid: str
    kind: str
    callsign: str
    lon: float
    lat: float
    ce: float
    at: datetime
    stale_at: datetime

    def xml(self) -> bytes:
        """As an XML event."""
        at, stale = _written(self.at), _written(self.stale_at)
        return (
            f'<event version="2.0" uid={quoteattr(self.uid)} type="{self.kind}" how="m-g" time="{at}" '
            f'start="{at}" stale="{stale}">'
            f'<point lat="{self.lat}" lon="{self.lon}" hae="{UNSURE}" ce="{self.ce}" le="{UNSURE}"/>'
            f"<detail><contact callsign={quoteattr(self.callsign)}/></detail></event>"
        ).encode()


@dataclass(eq=False, slots=True)
class _Client:
    """An open TCP connection: what it speaks, and the district it has proved to belong to."""

    writer: asyncio.StreamWriter
    protobuf: bool = False
    district_id: str = ""

    def hang_up(self) -> None:
        """At once, whatever still waits to be sent."""
        self.writer.transport.abort()


@dataclass(slots=True)
class Cot:
    """The connector of one process."""

    database: Database
    whereabouts: Whereabouts
    tally: Tally = field(default_factory=Tally)
    _clients: dict[_Client, None] = field(default_factory=dict)
    """In the order in which they came."""
    _logged: set[str] = field(default_factory=set)
    """The codes of this turn's refusals that stand in the log: one line of each is enough."""
    _devices: Devices = field(init=False)

    def __post_init__(self) -> None:
        self._devices = Devices(self.database)

    async def serve(
        self,
        host: str,
        tcp_port: int,
        udp_port: int,
        send_to: str,
        stop: asyncio.Event,
        got_on: Progress | None = None,
    ) -> None:
        """Hear and tell until `stop`; a port of 0 is not opened."""
        loop = asyncio.get_running_loop()
        tcp = await asyncio.start_server(self._hear_stream, host, tcp_port) if tcp_port else None
        udp = None
        if udp_port or send_to:
            local = (host, udp_port) if udp_port else None
            udp, _ = await loop.create_datagram_endpoint(
                partial(_Datagrams, self),
                local_addr=local or ("0.0.0.0", 0),  # noqa: S104 - a free port to send from
            )
        try:
            while not stop.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), SEND_EVERY_S)
                self._logged.clear()
                await self._tell(udp, _address(send_to))
                if got_on is not None:
                    got_on()
        finally:
            if tcp is not None:
                tcp.close()
            for client in list(self._clients):
                client.writer.close()
            if udp is not None:
                udp.close()

    def take(self, event: bytes) -> str:
        """Take one event (blocking); the district of its device, empty when unknown or no position."""
        try:
            heard = read_event(event)
        except NotAnEvent:
            self._refuse_unreadable()
            return ""
        if heard is None:
            return ""
        unit = self._devices.unit_of(heard.keys)
        if unit is None:
            self.tally.unknown += 1
            feeds.refused(feeds.UNASSIGNED, Feed.COT, UNKNOWN)
            return ""
        receipt = self.whereabouts.take(unit, duty_of(self.database, unit), [heard.told], "cot")
        self.tally.taken += receipt.taken
        self.tally.refused += len(receipt.refused)
        for one in receipt.refused:
            log.info("cot.position_refused", unit=unit.id, code=one.code)
        return unit.district_id

    def shown(self, district_id: str) -> list[Shown]:
        """The units on duty with a fresh position, and the open incidents with a point, of a district."""
        with self.database.reading([district_id]) as connection:
            on_duty = patrols.list_on_duty(connection, district_id)
            scope = engine_actor(district_id).scope
            waiting = matters.list_waiting(connection, scope, district_id, MatterKind.INCIDENT)
            known = incidents.list_these(connection, district_id, [one.id for one in waiting])
        fixes = self.whereabouts.fresh(district_id)
        now = clock.now()
        found = []
        for unit in on_duty:
            if (fix := fixes.get(unit.id)) is not None:
                at = clock.from_ms(fix.at_ms)
                uid, kind = f"anshang.{district_id}.unit.{unit.id}", _kind_of(unit)
                ce = fix.accuracy_m or UNSURE
                stale_at = at + timedelta(seconds=STALE_S)
                found.append(Shown(uid, kind, unit.call_sign, fix.lon, fix.lat, ce, at, stale_at))
        for matter in waiting:
            spot = known.get(matter.id)
            if spot is not None and spot.lon is not None and spot.lat is not None:
                uid = f"anshang.{district_id}.incident.{matter.number}"
                sign = f"P{matter.priority} {matter.number:04d}"
                stale_at = now + INCIDENT_LASTS
                found.append(Shown(uid, "b-m-p-s-m", sign, spot.lon, spot.lat, UNSURE, now, stale_at))
        return found

    def _refuse_unreadable(self) -> None:
        self.tally.unreadable += 1
        feeds.refused(feeds.UNASSIGNED, Feed.COT, NOT_READ)

    async def _hear_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(writer)
        if not self._admit(client):
            return
        try:
            async for event in events_of(reader):
                client.protobuf = event[:1] == bytes([STREAM_SIGN])
                client.district_id = await asyncio.to_thread(self.take, event) or client.district_id
        except (NotAnEvent, TimeoutError, ConnectionError):
            self._refuse_unreadable()
        finally:
            self._clients.pop(client, None)
            writer.close()

    def _admit(self, client: _Client) -> bool:
        """Whether there is room for one more; who came first of those that proved nothing makes it."""
        self._clients[client] = None
        if len(self._clients) <= CLIENTS_MOST:
            return True
        self._let_go(next(one for one in self._clients if not one.district_id), FULL)
        return client in self._clients

    def _let_go(self, client: _Client, reason: Reason) -> None:
        self._clients.pop(client, None)
        client.hang_up()
        feeds.refused(client.district_id or feeds.UNASSIGNED, Feed.COT, reason)
        if reason.code not in self._logged:
            self._logged.add(reason.code)
            log.warning("cot.let_go", code=reason.code, clients=len(self._clients))

    async def _tell(self, udp: asyncio.DatagramTransport | None, send_to: tuple[str, int] | None) -> None:
        """Send what is shown to everybody who has proved itself, and to the address."""
        sends = udp is not None and send_to is not None
        if not sends and not any(client.district_id for client in self._clients):
            return
        for district_id in await asyncio.to_thread(self._districts):
            theirs = [client for client in self._clients if client.district_id == district_id]
            if not theirs and not sends:
                continue
            events = [one.xml() for one in await asyncio.to_thread(self.shown, district_id)]
            stream = b"".join(bytes(tak.xml2proto(event, TAKProtoVer.STREAM)) for event in events)
            for client in theirs:
                self._send(client, stream if client.protobuf else b"\n".join([*events, b""]))
            if udp is not None and send_to is not None:
                for event in events:
                    udp.sendto(event, send_to)

    def _send(self, client: _Client, told: bytes) -> None:
        """Hand it on; who has not read what came before is let go, so that nothing grows without end."""
        if client.writer.transport.get_write_buffer_size() > UNREAD_MAX:
            self._let_go(client, DOES_NOT_READ)
        elif not client.writer.is_closing():
            client.writer.write(told)

    def _districts(self) -> list[str]:
        with self.database.reading() as connection:
            return places.list_real_district_ids(connection)


class _Datagrams(asyncio.DatagramProtocol):
    """Hands every datagram on, one after another."""

    def __init__(self, cot: Cot) -> None:
        self._cot = cot
        self._taking: set[asyncio.Task[str]] = set()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """One event; more than a few at once are let go."""
        if len(self._taking) < 64 and len(data) <= EVENT_MAX:
            task = asyncio.get_running_loop().create_task(asyncio.to_thread(self._cot.take, data))
            self._taking.add(task)
            task.add_done_callback(self._taking.discard)


async def events_of(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The events of a stream, each whole. NotAnEvent for one too long, TimeoutError after a long silence."""
    buffer = b""
    while chunk := await asyncio.wait_for(reader.read(READ_MAX), SILENT_S):
        buffer += chunk
        while (end := _end_of_first(buffer)) is not None:
            event, buffer = buffer[:end].lstrip(), buffer[end:].lstrip()
            if event:
                yield event
        if len(buffer) > EVENT_MAX:
            raise NotAnEvent


def read_event(event: bytes) -> Heard | None:
    """The position that an event tells; None for one of another kind. NotAnEvent when it cannot be read."""
    if not event or len(event) > EVENT_MAX:
        raise NotAnEvent
    try:
        if event[0] == STREAM_SIGN:
            message = tak.parse_proto(bytearray(event))
        elif b"<!" in event or not event.lstrip().startswith(b"<"):
            raise NotAnEvent  # no document types, no entities
        else:
            message = tak.xml2message(event.decode().strip())
        cot = message.cotEvent
        if not cot.type.startswith("a-"):
            return None
        ce = cot.ce if 0 < cot.ce < UNSURE else None
        keys = (cot.uid, cot.detail.contact.callsign)
        told = Told(int(cot.sendTime), float(cot.lon), float(cot.lat), ce)
    except UNREADABLE as error:
        raise NotAnEvent from error
    return Heard(tuple(key for key in keys if key), told)


def _end_of_first(buffer: bytes) -> int | None:
    """Where the first event of a buffer ends; None while it is not whole. NotAnEvent when it is too long."""
    if not buffer:
        return None
    if buffer[0] != STREAM_SIGN:
        at = buffer.find(XML_END)
        return None if at < 0 else at + len(XML_END)
    length, shift = 0, 0
    for number, byte in enumerate(buffer[1 : 1 + VARINT_MAX_BYTES]):
        length |= (byte & 0x7F) << shift
        shift += VARINT_BITS
        if byte < 0x80:
            if length > EVENT_MAX:
                raise NotAnEvent
            end = 2 + number + length
            return end if len(buffer) >= end else None
    if len(buffer) > VARINT_MAX_BYTES:
        raise NotAnEvent
    return None


def _kind_of(unit: Unit) -> str:
    """A friendly ground unit; a drone is in the air."""
    return "a-f-A-M-H-Q" if KINDS[unit.kind_id].mode == "flying" else "a-f-G-U-C"


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _address(told: str) -> tuple[str, int] | None:
    host, _, port = told.rpartition(":")
    return (host, int(port)) if host and port.isdigit() else None
