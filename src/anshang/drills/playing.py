"""Plays the scenarios of drills that go on: counts every ten seconds, calls when they are due, answers of
partners. What was played before a restart is not played twice: ids follow from the drill's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from anshang.crowds.ingest import Intake, Row
from anshang.crowds.watch import Watch
from anshang.desk import actions as desk
from anshang.drills import actions, store
from anshang.drills.copying import PERIOD_S, sensor_of
from anshang.drills.model import Drill
from anshang.drills.scenario import Scenario, read_scenario
from anshang.drills.score import call_id
from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.incidents import actions as incidents
from anshang.incidents.model import Source, Spot
from anshang.partners import store as partners
from anshang.partners.model import Answer, Looked
from anshang.people.model import Role, actor_of, engine_actor, operator_actor
from anshang.vault.keys import Keyring

QUIET_PER_M2 = 0.2
"""How full a zone is that the scenario says nothing of."""


@dataclass(slots=True)
class _Playing:
    """The drill that plays, and how far it has come."""

    drill: Drill
    scenario: Scenario
    counted_s: float = -1.0
    called: set[str] = field(default_factory=set)


class Player:
    """Plays the drills of every copy of this process."""

    def __init__(self, database: Database, intake: Intake, watch: Watch, keyring: Keyring) -> None:
        self._database = database
        self._intake = intake
        self._watch = watch
        self._keyring = keyring
        self._playing: dict[str, _Playing] = {}

    def go_on(self, copy_id: str) -> None:
        """Play what is due on a copy; end its drill when its time is over; remove it when none goes on."""
        district_id = ids.real_of(copy_id)
        with self._database.reading([district_id]) as connection:
            drill = store.find_running(connection, district_id)
        if drill is None or ids.drill_of(district_id, drill.id) != copy_id:
            # a drill that begins just now is not read yet: whether none goes on is asked again, in its turn
            if actions.remove_ended(self._database, self._keyring, copy_id):
                self._playing.pop(copy_id, None)
                self._watch.let_go(copy_id)
            return
        playing = self._playing.get(copy_id)
        if playing is None or playing.drill.id != drill.id:
            playing = self._playing[copy_id] = _Playing(drill, read_scenario(drill.scenario))
        minute = (clock.now() - drill.begun_at).total_seconds() / 60
        if minute >= playing.scenario.minutes:
            leader = operator_actor(district_id)
            actions.end(self._database, self._keyring, actor=leader, district_id=district_id, id=drill.id)
            self._watch.let_go(copy_id)
            return
        self._count(copy_id, playing, minute)
        self._call(copy_id, playing, minute)
        self._answer(copy_id, playing.scenario)

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

    def _call(self, copy_id: str, playing: _Playing, minute: float) -> None:
        """The calls that are due reach the desk."""
        caller = actor_of("drill", "drill", Role.DESK, None, (copy_id,))
        for number, call in enumerate(playing.scenario.calls):
            id = call_id(playing.drill.id, number)
            if call.minute > minute or id in playing.called:
                continue
            with self._database.transaction(copy_id) as tx:
                incidents.report(
                    tx,
                    actor=caller,
                    id=id,
                    source=Source.PHONE,
                    text=call.text,
                    category_id=call.category_id,
                    priority=None,
                    spot=Spot(zone_id=call.zone_id, premises_id=call.premises_id),
                    called_at=playing.drill.begun_at + timedelta(minutes=call.minute),
                )
            playing.called.add(id)

    def _answer(self, copy_id: str, scenario: Scenario) -> None:
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
            with self._database.transaction(copy_id) as tx:
                desk.answer_notice(
                    tx,
                    actor=engine_actor(copy_id),
                    notice_id=one.notice_id,
                    partner_id=one.partner_id,
                    answer=Answer.SEEN if seen else Answer.NOT_HERE,
                    looked=() if seen else (Looked.FLOOR,),
                )
