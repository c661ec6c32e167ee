"""What goes on by itself in a look-out: partners who should be asked by now are asked, silent ones reminded,
the steps that the clock brings taken, and what was closed in the queue is ended here too.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.foundation.errors import NotFound, StorageAway, StorageFailed
from anshang.foundation.items import Items
from anshang.lookouts import actions, neighbours, store
from anshang.lookouts.asking import known_now, partners_at, partners_of
from anshang.lookouts.model import Lookout, State, Step
from anshang.lookouts.searching import Known
from anshang.matters import actions as matters_actions
from anshang.matters import store as matters
from anshang.matters.model import MatterKind, MatterState, Priority
from anshang.partners import actions as partners_actions
from anshang.partners.doors import DoorBook
from anshang.people.model import engine_actor
from anshang.places.model import Trade
from anshang.vault.keys import Keyring

UNREADABLE = (
    "协查 {number:04d} 的资料无法读取（{zh}）未能转告相邻商圈，请电话通知。"
    "The record of look-out {number:04d} cannot be read ({en}) "
    "Call the districts beside: they were not asked."
)
ANSWERED_SHARE = 0.5
"""The nearest have answered when half of those who were asked have."""


class LookoutSweep:
    """Goes on with the look-outs of every district of this process."""

    def __init__(self, database: Database, keyring: Keyring, book: DoorBook) -> None:
        self._database = database
        self._keyring = keyring
        self._book = book
        self._items = Items()

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        self._items.forget(district_id)

    def go_on(self, district_id: str) -> None:
        """One round in the district: each look-out, answer to a neighbour and the reminders by itself."""
        with self._database.reading([district_id]) as connection:
            live = store.list_live(connection, district_id)
            silent = partners_actions.anybody_silent(connection, district_id)
        answer = partial(neighbours.answer_back, self._database, self._keyring)
        items = [(one.id, partial(self._one, one)) for one in live]
        items += [(f"{one.id} answer", partial(answer, one)) for one in live]
        if silent:
            items.append(("remind", partial(self._remind, district_id)))
        self._items.each(district_id, items)

    def _remind(self, district_id: str) -> None:
        with self._database.transaction(district_id) as tx:
            partners_actions.remind(tx, actor=engine_actor(district_id))

    def _one(self, lookout: Lookout) -> None:
        district_id, engine = lookout.district_id, engine_actor(lookout.district_id)
        with self._database.reading([district_id]) as connection:
            over = matters.matters.get(connection, district_id, lookout.id).state is MatterState.CLOSED
            sought = lookout.state is State.OPEN and not over
            known = known_now(connection, self._book, lookout) if sought else None
            wanted = [] if known is None else partners_at(connection, lookout, known)
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
        if Step.WIDER in due:
            self._pass_on(lookout)
        with self._database.transaction(district_id) as tx:
            if wanted:
                actions.widen(tx, actor=engine, id=lookout.id, partner_ids=wanted)
            for step in (each for each in Step if each in due):
                if step is Step.WIDER and known is not None:
                    stops = _at_stops(tx.connection, lookout, known)
                    actions.widen(tx, actor=engine, id=lookout.id, partner_ids=stops)
                actions.step(tx, actor=engine, id=lookout.id, step=step)

    def _pass_on(self, lookout: Lookout) -> None:
        """Ask the districts beside this one; when its record cannot be read, the desk must ask them."""
        try:
            neighbours.pass_on(self._database, self._keyring, self._book, lookout)
        except StorageAway:  # it is asked again
            raise
        except (NotFound, StorageFailed) as unreadable:
            with self._database.transaction(lookout.district_id) as tx:
                matter = matters.matters.get(tx.connection, lookout.district_id, lookout.id)
                matters_actions.open_matter(
                    tx,
                    actor=engine_actor(lookout.district_id),
                    id=ids.derived(lookout.id, "unreadable"),
                    kind=MatterKind.NOTE,
                    priority=Priority.P2,
                    subject="matter.note",
                    text=UNREADABLE.format(number=matter.number, en=unreadable.en, zh=unreadable.zh),
                    drill=lookout.drill,
                )


def _at_stops(connection: Connection, lookout: Lookout, known: Known) -> list[str]:
    stops = {p.id for p in known.doors.place.premises if p.trade is Trade.TRANSPORT}
    return partners_of(connection, lookout.district_id, stops)


def _nearest_answered(known: Known) -> bool:
    asked = int(known.asked.sum())
    return asked > 0 and int(known.answered.sum()) >= ANSWERED_SHARE * asked
