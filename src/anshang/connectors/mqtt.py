"""Observations over MQTT 3.1.1: batches as over HTTP, and OGC SensorThings observations.

    anshang/DISTRICT/observations
        {"observations": [{"sensor": …, "at": …, "in": 3, "out": 1}, …]}
    anshang/DISTRICT/Datastreams(SENSOR)/Observations
        {"phenomenonTime": …, "result": 120 | {"in": 3, "out": 1}}

Who may publish is the broker's matter: its accounts and access rules say who sends for which district.

A message is acknowledged once its rows are on disk, or once it is clear that they never can be. The session
is persistent (a fixed client id, no clean start), so the broker sends again whatever was not acknowledged,
also what was published with QoS 1 while we were away. Rows that come twice change nothing.
"""

from __future__ import annotations

import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import aiomqtt
import structlog
from sqlalchemy.exc import SQLAlchemyError

from anshang.connectors import sensorthings
from anshang.crowds.ingest import Intake, Row, decode_batch, record
from anshang.foundation import feeds, ids
from anshang.foundation.errors import BadInput, StorageFailed
from anshang.foundation.feeds import Feed, Reason
from anshang.foundation.items import attempted, shown_in_log
from anshang.foundation.jobs import Progress

TOPICS = ("anshang/+/observations", "anshang/+/+/Observations")
"""A wildcard fills a whole level, so the datastream's level is read here."""
AT_ONCE_MAX = 64
PAUSE_MIN_S, PAUSE_MAX_S = 1.0, 60.0
KEEP_ALIVE_S = 30
ALIVE_S = 5.0
TRIES, AGAIN_S = 3, 0.2
"""Of a message that fails for a reason nobody foresaw."""

LOST = Reason(
    "mqtt.lost", "The connection to the broker was lost, or refused.", "与 MQTT 服务器的连接中断或被拒绝。"
)

log = structlog.get_logger()


@dataclass(slots=True)
class Tally:
    """What came since the start, in messages and rows; the operator's view of the connection."""

    connected: bool = False
    message_count: int = 0
    bad_message_count: int = 0
    taken_count: int = 0
    repeated_count: int = 0
    refused_count: int = 0


class Broken(Exception):
    """Rows could not be written now; the message stays unacknowledged and comes again."""


class _Client(aiomqtt.Client):
    """A client that acknowledges when told, not on arrival."""

    def __init__(self, host: str, port: int, user: str, password: str, client_id: str) -> None:
        super().__init__(
            host,
            port,
            username=user or None,
            password=password or None,
            identifier=client_id,
            clean_session=False,
            keepalive=KEEP_ALIVE_S,
            protocol=aiomqtt.ProtocolVersion.V311,
        )
        self._client.manual_ack_set(True)

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """Tell the broker that it may forget the message."""
        self._client.ack(message.mid, message.qos)


def client_id_of(folder: Path) -> str:
    """The installation's own client id: made once, kept in its data folder."""
    file = folder / "mqtt-client-id"
    if not file.is_file():
        file.write_text(f"anshang-{ids.new_id()}\n", "utf-8")
    return file.read_text("utf-8").strip()


async def follow(
    *,
    host: str,
    port: int,
    user: str,
    password: str,
    client_id: str,
    intake: Intake,
    stop: asyncio.Event,
    tally: Tally | None = None,
    got_on: Progress | None = None,
) -> None:
    """Take what sensors publish until `stop` is set; a lost broker is tried again, ever more slowly. `got_on`
    is called every few seconds while the broker is there.
    """
    tally = tally or Tally()
    pause_s = PAUSE_MIN_S
    with ThreadPoolExecutor(8, thread_name_prefix="mqtt") as writers:
        while not stop.is_set():
            try:
                async with _Client(host, port, user, password, client_id) as client:
                    for topic in TOPICS:
                        await client.subscribe(topic, qos=1)
                    tally.connected, pause_s = True, PAUSE_MIN_S
                    log.info("mqtt.connected", host=host, port=port)
                    await _listen(client, intake, writers, stop, tally, got_on)
            except (aiomqtt.MqttError, Broken) as error:
                feeds.refused(feeds.UNASSIGNED, Feed.MQTT, replace(LOST, about=f"{host}:{port}"))
                log.warning("mqtt.lost", host=host, port=port, reason=str(error), again_in_s=round(pause_s))
            finally:
                tally.connected = False
            await _wait(stop, pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            pause_s = min(2 * pause_s, PAUSE_MAX_S)


async def _listen(
    client: _Client,
    intake: Intake,
    writers: ThreadPoolExecutor,
    stop: asyncio.Event,
    tally: Tally,
    got_on: Progress | None,
) -> None:
    """Take messages as they come; those that wait together share a commit."""
    stopping = asyncio.ensure_future(stop.wait())
    coming = aiter(client.messages)
    first = asyncio.ensure_future(anext(coming))
    try:
        while not stop.is_set():
            await asyncio.wait((first, stopping), timeout=ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
            if got_on is not None:
                got_on()
            if not first.done():
                continue
            messages = [await first]
            while len(client.messages) and len(messages) < AT_ONCE_MAX:
                messages.append(await anext(coming))
            await _take_all(client, messages, intake, writers, tally)
            first = asyncio.ensure_future(anext(coming))
    finally:
        first.cancel()
        stopping.cancel()


async def _take_all(
    client: _Client,
    messages: list[aiomqtt.Message],
    intake: Intake,
    writers: ThreadPoolExecutor,
    tally: Tally,
) -> None:
    """Write all messages at once and acknowledge, in their order, those that need not come again."""
    loop = asyncio.get_running_loop()
    taking = (loop.run_in_executor(writers, _take, message, intake, tally) for message in messages)
    outcomes = await asyncio.gather(*taking, return_exceptions=True)
    for message, outcome in zip(messages, outcomes, strict=True):
        if outcome is None:
            client.acknowledge(message)
    for outcome in outcomes:
        if outcome is not None:
            raise outcome


def _take(message: aiomqtt.Message, intake: Intake, tally: Tally) -> None:
    """Write a message's rows; Broken when the database cannot now. What can never be taken is passed over:
    it would come again for ever, and keep what is behind it waiting.
    """
    tally.message_count += 1
    topic = message.topic.value
    for attempt in range(TRIES):
        error = attempted(partial(_take_rows, message, intake, tally))
        if isinstance(error, StorageFailed | SQLAlchemyError):
            raise Broken(str(error)) from error
        if error is None or isinstance(error, BadInput):
            break
        time.sleep(AGAIN_S * attempt)
    if error is not None:
        tally.bad_message_count += 1
        reason = _reason_of(error, topic)
        feeds.refused(feeds.UNASSIGNED, Feed.MQTT, reason)
        log.warning("mqtt.bad_message", topic=topic[:200], **shown_in_log(error))


def _reason_of(error: Exception, topic: str) -> Reason:
    if isinstance(error, BadInput):
        return Reason(error.code, error.en, error.zh, topic)
    name = type(error).__name__
    return Reason("server.failed", f"A fault of ours: {name}.", f"服务器内部错误：{name}。", topic)


def _take_rows(message: aiomqtt.Message, intake: Intake, tally: Tally) -> None:
    topic = message.topic.value
    district_id, feed, rows = read_message(topic, message.payload)
    receipt = intake.take_rows(district_id, rows)
    record(feed, district_id if intake.has_sensors(district_id) else feeds.UNASSIGNED, rows, receipt)
    tally.taken_count += receipt.taken
    tally.repeated_count += receipt.repeated
    tally.refused_count += receipt.refused_count
    if receipt.refused:
        first = receipt.refused[0]
        log.warning("mqtt.refused", topic=topic[:200], count=receipt.refused_count, first=first.error)


def read_message(topic: str, content: object) -> tuple[str, Feed, list[Row | str]]:
    """The district, form and rows of a message, a reason for each bad one; BadInput when it is not ours."""
    levels = topic.split("/")
    if not isinstance(content, bytes | bytearray) or len(levels) not in {3, 4}:
        raise _not_ours(topic)
    district_id = ids.checked_code(levels[1])
    if len(levels) == 3:
        return district_id, Feed.MQTT, list(decode_batch(bytes(content)))
    sensor_id = sensorthings.sensor_of(levels[2])
    if sensor_id is None:
        raise _not_ours(topic)
    return district_id, Feed.SENSORTHINGS, [sensorthings.read_observation(sensor_id, bytes(content))]


def _not_ours(topic: str) -> BadInput:
    return BadInput(
        "message.malformed",
        en=f"The message at {topic[:200]} is neither a batch nor a SensorThings observation of a known form.",
        zh=f"{topic[:200]} 上的消息既不是观测批次，也不是可识别的 SensorThings 观测。",
    )


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not longer than until `stop`."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
