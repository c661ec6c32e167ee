"""What is done with drills: begin one on a copy of the district, and end it with its score."""

from __future__ import annotations

import threading

from sqlalchemy import Connection

from anshang.drills import copying, score, store
from anshang.drills.model import Drill, DrillKind, Step
from anshang.drills.scenario import Scenario, check_against, read_scenario
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database
from anshang.foundation.errors import RuleBroken
from anshang.incidents import store as incidents
from anshang.journal import actions as journal
from anshang.partners import store as partners
from anshang.places import store as places
from anshang.vault.keys import Keyring

_one_at_a_time = threading.Lock()
"""A drill begins or ends in several transactions, which no other may come between."""


def begin(
    database: Database, keyring: Keyring, *, actor: Actor, district_id: str, id: str, scenario: str
) -> Drill:
    """Begin a drill: check the scenario, make the copy, start the clock. The same id again answers with what
    is there; RuleBroken while another goes on, or from within one.
    """
    actor.must(Permission.DRILL_LEAD, district_id)
    if ids.is_drill(district_id):
        raise RuleBroken("drill.within", en="This is a drill already.", zh="当前已在演练中。")
    parsed = read_scenario(scenario)
    with _one_at_a_time:
        with database.reading([district_id]) as connection:
            known = store.drills.find_again(connection, district_id, id, scenario=scenario)
            if known is not None:
                return known
            _check(connection, actor, district_id, parsed)
            left_behind = copying.copies_of(connection, district_id)
        for copy_id in left_behind:
            copying.remove(database, keyring, copy_id)
        copying.prepare(database, district_id, id)
        with database.transaction(district_id) as tx:
            drill = Drill(id, district_id, parsed.name_zh, parsed.name_en, scenario, clock.now(), actor.id)
            store.drills.add(tx, drill)
            journal.record(tx, actor_id=actor.id, kind=DrillKind.BEGUN, subject_id=id)
    return drill


def end(database: Database, keyring: Keyring, *, actor: Actor, district_id: str, id: str) -> Drill:
    """End a drill: keep its score, then remove its copy. Ending it again removes what is left of that."""
    actor.must(Permission.DRILL_LEAD, district_id)
    copy_id = ids.drill_of(district_id, id)
    with _one_at_a_time:
        with database.reading([district_id, copy_id]) as connection:
            drill = store.drills.get(connection, district_id, id)
            goes_on, is_there = drill.ended_at is None, _is_there(connection, copy_id)
            steps = score.timed(connection, drill, read_scenario(drill.scenario)) if goes_on else []
        if goes_on:
            with database.transaction(district_id) as tx:
                drill = store.drills.get(tx.connection, district_id, id)
                drill = store.drills.put(tx, drill.ended(clock.now(), score.kept(steps)))
                counted = [step for step in steps if step.step is not Step.NOT_PLAYED]
                details = {"steps": len(counted), "met": sum(step.met for step in counted)}
                journal.record(tx, actor_id=actor.id, kind=DrillKind.ENDED, subject_id=id, details=details)
        if is_there:
            copying.remove(database, keyring, copy_id)
    return drill


def remove_ended(database: Database, keyring: Keyring, copy_id: str) -> bool:
    """Remove a copy on which no drill goes on: its begin or its end was interrupted. Whether none does."""
    district_id = ids.real_of(copy_id)
    with _one_at_a_time:
        with database.reading([district_id]) as connection:
            running = store.find_running(connection, district_id)
            is_there = _is_there(connection, copy_id)
        if running is not None and ids.drill_of(district_id, running.id) == copy_id:
            return False
        if is_there:
            copying.remove(database, keyring, copy_id)
    return True


def _is_there(connection: Connection, copy_id: str) -> bool:
    return copy_id in copying.copies_of(connection, ids.real_of(copy_id))


def _check(connection: Connection, actor: Actor, district_id: str, scenario: Scenario) -> None:
    """BadInput unless the scenario fits the district, RuleBroken while a drill goes on there."""
    place = places.load(connection, district_id)
    check_against(
        scenario,
        zones=place.zones.keys(),
        premises={one.id for one in place.premises},
        categories=incidents.list_categories(connection, district_id).keys(),
        partners={one.id for one in partners.list_partners(connection, actor.scope, district_id)},
    )
    if store.find_running(connection, district_id) is not None:
        raise RuleBroken("drill.running", en="A drill is going on already.", zh="已有演练正在进行。")
