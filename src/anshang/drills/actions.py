"""What is done with drills: begin one on a copy of the district, and end it with its score."""

from __future__ import annotations

from dataclasses import asdict

from anshang.dispatch import actions as dispatch
from anshang.dispatch import store as dispatch_store
from anshang.dispatch.model import Because
from anshang.drills import copying, score, store
from anshang.drills.model import Drill, DrillKind
from anshang.drills.scenario import check_against, read_scenario
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Database, Transaction
from anshang.foundation.errors import RuleBroken
from anshang.incidents import store as incidents
from anshang.journal import actions as journal
from anshang.lookouts import actions as lookouts
from anshang.lookouts import store as lookouts_store
from anshang.matters import actions as matters
from anshang.matters import store as matters_store
from anshang.partners import actions as partners
from anshang.partners import store as partners_store
from anshang.patrols import actions as patrols
from anshang.patrols import store as patrols_store
from anshang.people.model import operator_actor
from anshang.places import store as places
from anshang.vault import actions as vault
from anshang.vault.keys import Keyring

OUTCOME = "outcome.drill_over"


def begin(database: Database, *, actor: Actor, district_id: str, id: str, scenario: str) -> Drill:
    """Begin a drill: check the scenario, make the copy, start the clock. The same id again answers with what
    is there; RuleBroken while another goes on, or from within one.
    """
    actor.must(Permission.DRILL_LEAD, district_id)
    if ids.is_drill(district_id):
        raise RuleBroken("drill.within", en="This is a drill already.", zh="当前已在演练中。")
    told = read_scenario(scenario)
    with database.reading([district_id]) as connection:
        known = store.drills.find_again(connection, district_id, id, scenario=scenario)
        if known is not None:
            return known
        place = places.load(connection, district_id)
        check_against(
            told,
            zones=place.zones.keys(),
            premises={one.id for one in place.premises},
            categories=incidents.list_categories(connection, district_id).keys(),
            partners={one.id for one in partners_store.list_partners(connection, actor.scope, district_id)},
        )
        _must_be_alone(store.find_running(connection, district_id))
    copying.prepare(database, district_id)
    with database.transaction(district_id) as tx:
        _must_be_alone(store.find_running(tx.connection, district_id))
        drill = Drill(id, district_id, told.name_zh, told.name_en, scenario, clock.now(), actor.id)
        store.drills.add(tx, drill)
        journal.record(tx, actor_id=actor.id, kind=DrillKind.BEGUN, subject_id=id)
    return drill


def end(database: Database, keyring: Keyring, *, actor: Actor, district_id: str, id: str) -> Drill:
    """End a drill: reckon its score, then put everything on the copy to rest. Ending it again changes
    nothing.
    """
    actor.must(Permission.DRILL_LEAD, district_id)
    copy_id = ids.drill_of(district_id)
    with database.reading([district_id, copy_id]) as connection:
        drill = store.drills.get(connection, district_id, id)
        if drill.ended_at is not None:
            return drill
        steps = score.timed(connection, drill, read_scenario(drill.scenario))
    with database.transaction(copy_id) as tx:
        _rest(tx, keyring)
    copying.dissolve(database, district_id)
    told = [asdict(step) | {"met": step.met} for step in steps]
    with database.transaction(district_id) as tx:
        drill = store.drills.get(tx.connection, district_id, id)
        ended = store.drills.put(tx, drill.ended(clock.now(), told))
        details = {"steps": len(steps), "met": sum(step.met for step in steps)}
        journal.record(tx, actor_id=actor.id, kind=DrillKind.ENDED, subject_id=id, details=details)
    return ended


def _rest(tx: Transaction, keyring: Keyring) -> None:
    """Nothing of the drill goes on: units are called off and off duty, notices withdrawn, look-outs closed
    and what was told in them destroyed, matters closed.
    """
    leader = operator_actor(tx.district_id)
    for assignment in dispatch_store.list_live(tx.connection, tx.district_id):
        dispatch.stand_down(tx, actor=leader, id=assignment.id, because=Because.CALLED_OFF)
    for duty in patrols_store.list_open_duties(tx.connection, tx.district_id):
        patrols.end_duty(tx, actor=leader, id=duty.id)
    for lookout in lookouts_store.list_live(tx.connection, tx.district_id):
        lookouts.close(tx, actor=leader, id=lookout.id, outcome=OUTCOME)
        vault.erase(tx, keyring, actor=leader, subject_ids=[lookout.id])
    for notice in partners_store.list_open_notices(tx.connection, tx.district_id):
        partners.withdraw(tx, actor=leader, id=notice.id)
    for matter in matters_store.list_waiting(tx.connection, leader.scope, tx.district_id):
        matters.close(tx, actor=leader, id=matter.id, outcome=OUTCOME)


def _must_be_alone(running: Drill | None) -> None:
    if running is not None:
        raise RuleBroken("drill.running", en="A drill is going on already.", zh="已有演练正在进行。")
