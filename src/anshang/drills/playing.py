"""Plays the scenarios of drills that go on: counts every ten seconds, calls when they are due, answers of
partners, and where units are that no phone moves. What was played before a restart is not played twice: ids
follow from the drill's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from anshang.crowds.ingest import Intake, Row
from anshang.crowds.watch import Watch
from anshang.desk import actions as desk
from anshang.drills import actions, store
from anshang.drills.copying import PERIOD_S, sensor_of
from anshang.drills.model import Drill
from anshang.drills.scenario import Call, Scenario, read_scenario
from anshang.drills.score import call_id
from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.foundation.items import Items
from anshang.incidents import actions as incidents
from anshang.incidents.model import Source, Spot
from anshang.partners import store as partners
from anshang.partners.model import Answer, Looked
from anshang.patrols import store as patrols
from anshang.patrols.whereabouts import Whereabouts
from anshang.people.model import Role, actor_of, engine_actor, operator_actor
from anshang.vault.keys import Keyring

QUIET_PER_M2 = 0.2
"""How full a zone is that the scenario says nothing of."""
_Item = tuple[str, Callable[[], object]]


@dataclass(slots=True)
class _Playing:
    """The drill that plays, and how far it has come."""

    drill: Drill
    scenario: Scenario
    counted_s: float = -1.0
    called: set[str] = field(default_factory=set)


class Player:
    """Plays the drills of every copy of this process."""

    def __init__(
        self, database: Database, intake: Intake, watch: Watch, whereabouts: Whereabouts, keyring: Keyring
    ) -> None:
        self._database = database
        self._intake = intake
        self._watch = watch
        self._whereabouts = whereabouts
        self._keyring = keyring
        self._playing: dict[str, _Playing] = {}
        self._items = Items()
        watch.on_gone.append(self._forget)

    def go_on(self, copy_id: str) -> None:
        """Play what is due on a copy; end its drill when its time is over; remove it when none goes on."""
        district_id = ids.real_of(copy_id)
        with self._database.reading([district_id]) as connection:
            drill = store.find_running(connection, district_id)
        if drill is None or ids.drill_of(district_id, drill.id) != copy_id:
            # a drill that begins just now is not read yet: whether none goes on is asked again, in its turn
            if actions.remove_ended(self._database, self._keyring, copy_id):
                self._watch.let_go(copy_id)
            return
        playing = self._playing.get(copy_id)
        if playing is None:
            playing = self._playing[copy_id] = _Playing(drill, read_scenario(drill.scenario))
        minute = (clock.now() - drill.begun_at).total_seconds() / 60
        if minute >= playing.scenario.minutes:
            leader = operator_actor(district_id)
            actions.end(self._database, self._keyring, actor=leader, district_id=district_id, id=drill.id)
            self._watch.let_go(copy_id)
            return
        self._items.each(copy_id, self._due(copy_id, playing, minute))

    def _due(self, copy_id: str, playing: _Playing, minute: float) -> Iterator[_Item]:
        """What is due, each attempted by itself: a call that fails keeps no other back."""
        yield "count", partial(self._count, copy_id, playing, minute)
        yield "hold", partial(self._hold, copy_id)
        yield from self._calls(copy_id, playing, minute)
        yield from self._answers(copy_id, playing.scenario)

    def _forget(self, district_id: str) -> None:
        self._playing.pop(district_id, None)
        self._items.forget(district_id)
        self._intake.forget(district_id)

    def _count(self, copy_id: str, playing: _Playing, minute: float) -> None:
        """Every ten seconds, how many people each zone has; nothing of one whose counter fails."""
        slot_s = minute * 60 // PERIOD_S * PERIOD_S
        engine = self._watch.find(copy_id)
        if engine is None or playing.counted_s == slot_s:
            return
        playing.counted_s = slot_s
        crowds = {one.zone_id: one for one in playing.scenario.crowds}
        at = (playing.drill.begun_at + timedelta(seconds=slot_s)).isoformat()
        rows = [
            Row(
                sensor=sensor_of(zone.id),
                at=at,
                people=crowds[zone.id].people_at(minute)
                if zone.id in crowds
                else round(QUIET_PER_M2 * zone.usable_m2),
            )
            for zone in engine.place.zones.values()
            if not playing.scenario.failing(zone.id, minute)
        ]
        self._intake.take_rows(copy_id, rows)

    def _hold(self, copy_id: str) -> None:
        """Units on duty that no phone moves stay where they stood as the drill began."""
        with self._database.reading([copy_id]) as connection:
            on_duty = [unit.id for unit in patrols.list_on_duty(connection, copy_id)]
        self._whereabouts.hold(copy_id, on_duty)

    def _calls(self, copy_id: str, playing: _Playing, minute: float) -> Iterator[_Item]:
        """The calls that are due reach the desk."""
        for number, call in enumerate(playing.scenario.calls):
            id = call_id(playing.drill.id, number)
            if call.minute <= minute and id not in playing.called:
                yield id, partial(self._call, copy_id, playing, id, call)

    def _call(self, copy_id: str, playing: _Playing, id: str, call: Call) -> None:
        with self._database.transaction(copy_id) as tx:
            incidents.report(
                tx,
                actor=actor_of("drill", "drill", Role.DESK, None, (copy_id,)),
                id=id,
                source=Source.PHONE,
                text=call.text,
                category_id=call.category_id,
                priority=None,
                spot=Spot(zone_id=call.zone_id, premises_id=call.premises_id),
                called_at=playing.drill.begun_at + timedelta(minutes=call.minute),
            )
        playing.called.add(id)

    def _answers(self, copy_id: str, scenario: Scenario) -> Iterator[_Item]:
        """Partners that answer by themselves do so when their time has come; the silent ones never."""
        answers = scenario.answers
        if answers is None:
            return
        due_at = clock.now() - timedelta(seconds=answers.after_s)
        with self._database.reading([copy_id]) as connection:
            asking = [one.id for one in partners.list_open_notices(connection, copy_id) if one.asks]
            waiting = [
                one
                for one in partners.list_deliveries(connection, copy_id, asking)
                if one.answer is None and one.sent_at <= due_at and one.partner_id not in answers.silent
            ]
        for one in waiting:
            seen = one.partner_id == answers.sees
            key = f"{one.notice_id} {one.partner_id}"
            yield key, partial(self._answer, copy_id, one.notice_id, one.partner_id, seen)

    def _answer(self, copy_id: str, notice_id: str, partner_id: str, seen: bool) -> None:
        with self._database.transaction(copy_id) as tx:
            desk.answer_notice(
                tx,
                actor=engine_actor(copy_id),
                notice_id=notice_id,
                partner_id=partner_id,
                answer=Answer.SEEN if seen else Answer.NOT_HERE,
                looked=() if seen else (Looked.FLOOR,),
            )
