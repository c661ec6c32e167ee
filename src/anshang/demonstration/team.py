"""The duty team of a demonstration at work, through the public API alone: incidents are reported at a rate
that follows the crowd, a desk sends who is advised, phones answer, walk, arrive and are done.

Everything here is invented and says so in its text. A person at the desk is always faster: what somebody else
takes care of is left alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import httpx
import structlog

from anshang.demonstration.duty import Crewed
from anshang.demonstration.shops import Shops
from anshang.foundation import clock, ids
from anshang.patrols.positions import apart_m
from anshang.places.model import Place, Position
from anshang.web.session import COOKIE, CSRF_HEADER

STEP_S = 0.25
"""Real seconds between two looks."""
POSITIONS_S = 1.0
PER_PERSON_H = 4e-5
"""Incidents per person present and hour: about ten an hour at the height of the reference night."""
OPEN_MAX = 6
DESK_S = (20.0, 60.0)
"""How long the desk leaves an incident to a person before it sends somebody itself."""
ANSWER_S = (3.0, 18.0)
TURNOUT_S = (5.0, 20.0)
WORK_S = (120.0, 600.0)
CLEAR_S = (30.0, 90.0)
REFUSAL_SHARE = 0.08
SILENT_SHARE = 0.05
SPREAD = 0.2
"""Of travel times about those that were reckoned."""
FALLBACK_S = 180.0
STORIES = (
    ("lost_person", "有家长称孩子在人群中走散。A parent has lost a child in the crowd.", 3),
    ("lost_property", "游客丢失背包。A visitor has lost a bag.", 4),
    ("injury.fall", "有人在台阶处摔倒。Somebody fell on the steps.", 2),
    ("drunk", "醉酒男子躺在路边。A drunk man lies by the road.", 2),
    ("dispute.consumer", "顾客与店家争执。A customer and a shop argue.", 3),
    ("theft.pickpocket", "游客称手机在人群中被偷。A phone was taken in the crowd.", 2),
    ("fight", "两名男子推搡。Two men push each other.", 1),
    ("traffic.bike", "电动车挡住消防通道。A bike blocks the fire lane.", 2),
    ("help", "老人需要帮助找到地铁站。An elderly visitor looks for the metro.", 3),
)
"""Category, text and weight."""
LABEL = "【演示·虚构 demo, invented】"

log = structlog.get_logger("demonstration.team")


@dataclass(slots=True)
class Phone:
    """A unit's phone: where it is, and what it does when."""

    crewed: Crewed
    at: Position
    task_id: str = ""
    steps: list[tuple[datetime, str]] = field(default_factory=list)
    walk: tuple[datetime, datetime, Position, Position] | None = None

    def where(self, now: datetime) -> Position:
        """On its way between two points, or where it stands."""
        if self.walk is not None:
            begins, ends, start, goal = self.walk
            share = (now - begins) / max(ends - begins, timedelta(seconds=1))
            share = min(max(share, 0.0), 1.0)
            self.at = (start[0] + share * (goal[0] - start[0]), start[1] + share * (goal[1] - start[1]))
        return self.at


class Team:
    """The simulated duty team; `run` until `stop`."""

    def __init__(
        self,
        url: str,
        place: Place,
        crews: list[Crewed],
        desk: Crewed,
        *,
        shops: dict[str, Crewed] | None = None,
        seed: int = 1,
    ) -> None:
        self._place = place
        self._district = place.district.id
        self._chance = random.Random(seed)  # noqa: S311 - invents a night, guards nothing
        self._phones = {one.unit_id: Phone(one, one.home) for one in crews}
        self._desk = desk
        # one connection pool for all, without certificates to load: everything is on this machine
        self._client = httpx.Client(
            base_url=url,
            params={"district": self._district},
            timeout=30.0,
            verify=False,  # noqa: S501 - plain http
        )
        self._shops = Shops(shops or {}, self._ask, self._chance)
        self._due: dict[str, datetime] = {}
        self._last_at: datetime | None = None
        self._positions_at: datetime | None = None
        self._stopping = Event()
        self.reported = 0
        self.cleared = 0

    def run(self) -> None:
        """Work until stopped; what the server refuses is told and goes by."""
        while not self._stopping.wait(STEP_S):
            try:
                self.work()
            except httpx.HTTPError as error:
                log.warning("team.paused", reason=str(error))
                self._stopping.wait(1.0)

    def stop(self) -> None:
        """Let `run` return soon."""
        self._stopping.set()

    def close(self) -> None:
        """Close the connections; only after `run` has returned."""
        self._client.close()

    def work(self) -> None:
        """One look: positions, new incidents, the desk, the phones."""
        now = clock.now()
        self._tell_positions(now)
        self._shops.work(now)
        waiting = self._ask("GET", "/api/matters").json()["matters"]
        ours = [one for one in waiting if one["kind"] == "incident" and one["text"].startswith(LABEL)]
        live = self._ask("GET", "/api/assignments").json()
        self._invent(now, len(ours))
        self._send_units(now, ours, {one["incident_id"] for one in live})
        for assignment in live:
            phone = self._phones.get(assignment["unit_id"])
            if phone is not None:
                self._carry(phone, assignment, now)
        for phone in self._phones.values():
            self._go_home(phone, {one["id"] for one in live}, now)

    def _invent(self, now: datetime, open_count: int) -> None:
        """Report an incident now and then, where people are."""
        since, self._last_at = self._last_at or now, now
        frame = self._ask("GET", "/api/crowd").json()
        people = {id: one["people"] or 0 for id, one in frame["zones"].items() if id in self._place.zones}
        hours = (now - since).total_seconds() / 3600
        if open_count >= OPEN_MAX or self._chance.random() > sum(people.values()) * PER_PERSON_H * hours:
            return
        zone_id = self._chance.choices(list(people), [max(1, count) for count in people.values()])[0]
        category_id, text, _weight = self._chance.choices(STORIES, [story[2] for story in STORIES])[0]
        lon, lat = self._middle_of(zone_id)
        id = ids.new_id()
        place = {"lon": lon, "lat": lat, "zone_id": zone_id}
        told = {"source": "phone", "text": LABEL + text, "category_id": category_id, "place": place}
        if self._ask("POST", "/api/incidents", json={"id": id, **told}).is_success:
            self._due[id] = now + self._span(DESK_S)
            self.reported += 1

    def _send_units(self, now: datetime, ours: list[dict[str, Any]], served: set[str]) -> None:
        """Send who is advised to what a person has left alone; close what is done."""
        for matter in ours:
            id = matter["id"]
            due = self._due.get(id)
            if due is None or now < due or id in served:
                continue
            if self._is_controlled(id):
                self._clear(id)
                continue
            advice = self._ask("GET", f"/api/incidents/{id}/advice").json()
            best = next(iter(advice.get("candidates", [])), None)
            self._due[id] = now + self._span(DESK_S)
            if best is not None:
                body = {"id": ids.new_id(), "unit_id": best["unit_id"], "expected_s": best["seconds"]}
                self._ask("POST", f"/api/incidents/{id}/assignments", json=body)

    def _is_controlled(self, id: str) -> bool:
        return "controlled" in self._ask("GET", f"/api/incidents/{id}").json().get("at", {})

    def _clear(self, id: str) -> None:
        page = self._ask("GET", f"/api/incidents/{id}").json()
        body = {"outcome": "已现场处置 Dealt with on the spot", "version": page["version"]}
        self._ask("POST", f"/api/incidents/{id}/clear", json=body)
        self._due.pop(id, None)
        self.cleared += 1

    def _carry(self, phone: Phone, assignment: dict[str, Any], now: datetime) -> None:
        """What the phone does with its task: answer, set out, arrive, be done."""
        if phone.task_id != assignment["id"]:
            self._plan(phone, assignment, now)
        while phone.steps and now >= phone.steps[0][0]:
            at, step = phone.steps.pop(0)
            self._tell(phone, assignment["id"], step, at)
            if step in ("refused", "done"):
                self._due[assignment["incident_id"]] = now + self._span(CLEAR_S)

    def _plan(self, phone: Phone, assignment: dict[str, Any], now: datetime) -> None:
        phone.task_id, phone.steps = assignment["id"], []
        chance = self._chance.random()
        at = now + self._span(ANSWER_S)
        if chance < REFUSAL_SHARE:
            phone.steps = [(at, "refused")]
        elif chance >= REFUSAL_SHARE + SILENT_SHARE:
            goal = self._goal(assignment["incident_id"]) or phone.at
            moves = at + self._span(TURNOUT_S)
            travel_s = assignment["expected_s"] or FALLBACK_S
            there = moves + timedelta(seconds=travel_s * self._chance.lognormvariate(0.0, SPREAD))
            done = there + self._span(WORK_S)
            phone.steps = [(at, "accepted"), (moves, "moving"), (there, "on_scene"), (done, "done")]
            phone.walk = (moves, there, phone.where(now), goal)

    def _goal(self, incident_id: str) -> Position | None:
        page = self._ask("GET", f"/api/incidents/{incident_id}").json()
        return (page["lon"], page["lat"]) if page.get("lon") is not None else None

    def _tell(self, phone: Phone, assignment_id: str, step: str, at: datetime) -> None:
        told: dict[str, Any] = {"at": at.isoformat()}
        if step in ("accepted", "refused"):
            told |= {"accepted": step == "accepted", "reason": "" if step == "accepted" else "too_far"}
            path = f"/api/assignments/{assignment_id}/answer"
        else:
            told |= {"id": ids.new_id(), "step": step}
            path = f"/api/assignments/{assignment_id}/steps"
        answer = self._ask("POST", path, phone.crewed, json=told)
        if not answer.is_success:
            log.info("phone.refused", step=step, code=answer.json().get("error"))

    def _go_home(self, phone: Phone, live: set[str], now: datetime) -> None:
        """Whoever is done, or was called off, walks back to its post."""
        if not phone.task_id or phone.task_id in live:
            return
        phone.task_id, phone.steps = "", []
        here = phone.where(now)
        walk_s = apart_m(here, phone.crewed.home) * 1.3
        phone.walk = (now, now + timedelta(seconds=walk_s), here, phone.crewed.home)

    def _tell_positions(self, now: datetime) -> None:
        """Every phone says where it is, once a second of real time."""
        every = timedelta(seconds=POSITIONS_S * clock.speed())
        if self._positions_at is not None and now - self._positions_at < every:
            return
        self._positions_at = now
        for phone in self._phones.values():
            lon, lat = phone.where(now)
            position = {"at": now.isoformat(), "lon": lon, "lat": lat, "accuracy_m": 8.0}
            self._ask("POST", "/api/positions", phone.crewed, json={"positions": [position]})

    def _middle_of(self, zone_id: str) -> Position:
        """A point of the zone's outline's middle, moved a little."""
        ring = self._place.zones[zone_id].polygon_lonlat[0]
        lon = sum(point[0] for point in ring) / len(ring)
        lat = sum(point[1] for point in ring) / len(ring)
        return lon + self._chance.uniform(-1e-4, 1e-4), lat + self._chance.uniform(-1e-4, 1e-4)

    def _span(self, between_s: tuple[float, float]) -> timedelta:
        return timedelta(seconds=self._chance.uniform(*between_s))

    def _ask(self, method: str, path: str, who: Crewed | None = None, **told: Any) -> httpx.Response:
        """Ask as somebody; the desk unless told otherwise."""
        asker = who or self._desk
        headers = {"Cookie": f"{COOKIE}={asker.token}", CSRF_HEADER: asker.csrf}
        return self._client.request(method, path, headers=headers, **told)
