"""What goes on by itself in a look-out: partners who should be asked by now are asked, silent ones reminded,
the steps that the clock brings taken, and what was closed in the queue is ended here too.
"""

from __future__ import annotations

from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.foundation.database import Database
from anshang.foundation.errors import RuleBroken
from anshang.lookouts import actions, store
from anshang.lookouts.model import Lookout, State, Step
from anshang.lookouts.searching import Known, search, to_ask
from anshang.matters import store as matters
from anshang.matters.model import MatterState
from anshang.partners import actions as partners_actions
from anshang.partners import store as partners
from anshang.partners.doors import DoorBook
from anshang.people.model import engine_actor
from anshang.places.model import Trade

ANSWERED_SHARE = 0.5
"""The nearest have answered when half of those who were asked have."""


class LookoutSweep:
    """Goes on with the look-outs of every district of this process."""

    def __init__(self, database: Database, book: DoorBook) -> None:
        self._database = database
        self._book = book

    def go_on(self, district_id: str) -> None:
        """One round in the district."""
        with self._database.reading([district_id]) as connection:
            live = store.list_live(connection, district_id)
            silent = partners_actions.anybody_silent(connection, district_id)
        for lookout in live:
            self._one(lookout)
        if silent:
            with self._database.transaction(district_id) as tx:
                partners_actions.remind(tx, actor=engine_actor(district_id))

    def _one(self, lookout: Lookout) -> None:
        district_id, engine = lookout.district_id, engine_actor(lookout.district_id)
        with self._database.reading([district_id]) as connection:
            over = matters.matters.get(connection, district_id, lookout.id).state is MatterState.CLOSED
            sought = lookout.state is State.OPEN and not over
            known = _known(connection, self._book, lookout) if sought else None
            wanted = [] if known is None else _partners_at(connection, lookout, known)
        if over:
            with self._database.transaction(district_id) as tx:
                actions.close(tx, actor=engine, id=lookout.id, outcome="")
        if not sought:
            return
        due = set(lookout.due_by_itself(clock.now()))
        if known is not None and Step.NEAREST not in lookout.steps and _nearest_answered(known):
            due.add(Step.NEAREST)
        if not wanted and not due:
            return
        with self._database.transaction(district_id) as tx:
            if wanted:
                actions.widen(tx, actor=engine, id=lookout.id, partner_ids=wanted)
            for step in (each for each in Step if each in due):
                if step is Step.WIDER and known is not None:
                    stops = _at_stops(tx.connection, lookout, known)
                    actions.widen(tx, actor=engine, id=lookout.id, partner_ids=stops)
                actions.step(tx, actor=engine, id=lookout.id, step=step)


def first_to_ask(connection: Connection, book: DoorBook, lookout: Lookout) -> list[str]:
    """The partners that are asked first; all of them where there are no streets to reckon on."""
    known = _known(connection, book, lookout)
    if known is not None:
        return _partners_at(connection, lookout, known)
    scope = engine_actor(lookout.district_id).scope
    return [one.id for one in partners.list_partners(connection, scope, lookout.district_id)]


def partners_of(connection: Connection, district_id: str, premises_ids: set[str]) -> list[str]:
    """The partners at these premises."""
    known = partners.list_partners(connection, engine_actor(district_id).scope, district_id)
    return [one.id for one in known if one.premises_id in premises_ids]


def _known(connection: Connection, book: DoorBook, lookout: Lookout) -> Known | None:
    """What is known now; None where there are no streets to reckon on."""
    try:
        return search(connection, book, lookout)
    except RuleBroken:
        return None


def _partners_at(connection: Connection, lookout: Lookout, known: Known) -> list[str]:
    wanted = {known.doors.ids[number] for number in to_ask(known)}
    return partners_of(connection, lookout.district_id, wanted) if wanted else []


def _at_stops(connection: Connection, lookout: Lookout, known: Known) -> list[str]:
    stops = {p.id for p in known.doors.place.premises if p.trade is Trade.TRANSPORT}
    return partners_of(connection, lookout.district_id, stops)


def _nearest_answered(known: Known) -> bool:
    asked = int(known.asked.sum())
    return asked > 0 and int(known.answered.sum()) >= ANSWERED_SHARE * asked
