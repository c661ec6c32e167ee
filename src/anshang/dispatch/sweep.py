"""What goes on by itself: an offer nobody answers, the next unit that is asked, the ladder, units set free.

Looked at after every commit and once a second; each change is one verb in one transaction. A person who was
faster wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection

from anshang.dispatch import actions, board_actions, store
from anshang.dispatch import board_store as boards
from anshang.dispatch.advice import Candidate
from anshang.dispatch.board import LoneTimer, RollCall
from anshang.dispatch.dispatcher import Dispatcher
from anshang.dispatch.model import Assignment, AssignmentState, Because, Ladder, Rung, RungRun, leading_on
from anshang.foundation import clock, ids
from anshang.foundation.database import Database
from anshang.foundation.errors import RuleBroken, StaleVersion
from anshang.foundation.items import Items
from anshang.matters import store as matters_store
from anshang.matters.model import Matter, MatterKind
from anshang.patrols import store as patrols
from anshang.patrols.model import Duty
from anshang.people.model import engine_actor

ROLL_CALLS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Present:
    """What the sweep looks at: the open incidents' matters, all their assignments and rungs, and the live
    assignments of whatever has been closed.
    """

    open_now: Mapping[str, Matter]
    assignments: Mapping[str, Sequence[Assignment]]
    runs: Mapping[str, Sequence[RungRun]]
    orphans: Sequence[Assignment]
    ladder: Ladder


class Sweep:
    """Goes on with what waits for nobody, in every district of this process."""

    def __init__(self, database: Database, dispatcher: Dispatcher) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._items = Items()
        self._entitled: dict[str, tuple[int, ...]] = {}
        """By district, the edition of units and accounts at which every crew might serve."""

    def forget(self, district_id: str) -> None:
        """Let go of a district that is no more."""
        self._items.forget(district_id)
        self._entitled.pop(district_id, None)

    def go_on(self, district_id: str) -> None:
        """One round in the district: each incident, each roll-call and each timer by itself."""
        with self._database.reading([district_id]) as connection:
            present = _look(connection, district_id)
        orphans = [(one.id, partial(self._stand_down, district_id, one)) for one in present.orphans]
        incidents = [
            (matter.id, partial(self._one, district_id, matter, present))
            for matter in present.open_now.values()
        ]
        relieved = self._relieved(district_id)
        self._items.each(district_id, [*relieved, *orphans, *incidents, *self._silent(district_id)])

    def _one(self, district_id: str, matter: Matter, present: _Present) -> None:
        """Go on with one incident."""
        theirs = present.assignments.get(matter.id, ())
        self._let_lapse(district_id, theirs)
        self._climb(district_id, matter, theirs, present.runs.get(matter.id, ()), present.ladder)
        self._ask_onward(district_id, matter, theirs)

    def _relieved(self, district_id: str) -> list[tuple[str, Callable[[], None]]]:
        """Whose right to serve was taken, by a role, a district or an account that is closed: looked for when
        units or accounts have changed.
        """
        with self._database.reading([district_id]) as connection:
            edition = patrols.edition(connection, district_id)
            if self._entitled.get(district_id) == edition:
                return []
            found = patrols.list_unentitled(connection, district_id)
        if not found:
            self._entitled[district_id] = edition
        return [(duty.id, partial(self._relieve, district_id, duty, staying)) for duty, staying in found]

    def _relieve(self, district_id: str, duty: Duty, staying: Sequence[str]) -> None:
        with suppress(StaleVersion), self._database.transaction(district_id) as tx:
            actions.relieve(tx, actor=engine_actor(district_id), duty=duty, staying=staying)

    def _silent(self, district_id: str) -> list[tuple[str, Callable[[], None]]]:
        """Who does not answer a roll-call, and who works alone and has not come back."""
        now = clock.now()
        with self._database.reading([district_id]) as connection:
            calls = [
                one
                for one in boards.list_roll_calls(connection, district_id, now - ROLL_CALLS)
                if one.silent_at is None and now >= one.answer_by
            ]
            answers = boards.list_presences(connection, district_id, [call.id for call in calls])
            timers = boards.list_running_timers(connection, district_id)
        here = {(answer.roll_call_id, answer.unit_id) for answer in answers}
        overdue = [one for one in timers if one.overdue_at is None and now >= one.due_at]
        return [
            *((call.id, partial(self._report_silent, district_id, call, here)) for call in calls),
            *((timer.id, partial(self._report_overdue, district_id, timer)) for timer in overdue),
        ]

    def _report_silent(self, district_id: str, call: RollCall, here: set[tuple[str, str]]) -> None:
        silent = tuple(unit for unit in call.unit_ids if (call.id, unit) not in here)
        with suppress(StaleVersion), self._database.transaction(district_id) as tx:
            board_actions.tell_silent(tx, actor=engine_actor(district_id), call=call, unit_ids=silent)

    def _report_overdue(self, district_id: str, timer: LoneTimer) -> None:
        with suppress(StaleVersion), self._database.transaction(district_id) as tx:
            board_actions.tell_overdue(tx, actor=engine_actor(district_id), timer=timer)

    def _stand_down(self, district_id: str, assignment: Assignment) -> None:
        with suppress(RuleBroken, StaleVersion), self._database.transaction(district_id) as tx:
            actor = engine_actor(district_id)
            actions.stand_down(tx, actor=actor, id=assignment.id, because=Because.CLOSED)

    def _let_lapse(self, district_id: str, theirs: Sequence[Assignment]) -> None:
        now = clock.now()
        for one in theirs:
            if one.state is AssignmentState.OFFERED and now >= one.answer_by:
                with suppress(RuleBroken, StaleVersion), self._database.transaction(district_id) as tx:
                    actions.give_up_waiting(tx, actor=engine_actor(district_id), assignment=one)

    def _climb(
        self,
        district_id: str,
        matter: Matter,
        theirs: Sequence[Assignment],
        runs: Sequence[RungRun],
        ladder: Ladder,
    ) -> None:
        """Begin the rungs that are due to begin; escalate those that nobody met, and ask those of the next
        one.
        """
        begun = {run.rung_id for run in runs}
        if matter.priority in ladder.priorities and not {rung.id for rung in ladder.rungs} <= begun:
            self._begin(district_id, matter)
        now = clock.now()
        for run in runs:
            if (news := run.news(now, ladder.raise_after_s)) is None:
                continue
            with suppress(StaleVersion), self._database.transaction(district_id) as tx:
                actions.escalate(tx, actor=engine_actor(district_id), run=news)
            if news.raised_at is None and (rung := _next_rung(ladder, run.rung_id)) is not None:
                asked = self._ask(district_id, matter, theirs, rung.kinds)
                if not asked and not any(one.live for one in theirs):
                    self._ask(district_id, matter, theirs, None)

    def _begin(self, district_id: str, matter: Matter) -> None:
        with self._database.reading([district_id]) as connection:
            due = actions.list_startable(connection, matter)
        if due:
            with self._database.transaction(district_id) as tx:
                actions.begin_rungs(tx, actor=engine_actor(district_id), matter=matter)

    def _ask_onward(self, district_id: str, matter: Matter, theirs: Sequence[Assignment]) -> None:
        """Ask the next unit, when one that was asked does not go and nobody else does."""
        leading = leading_on(theirs)
        if leading and not self._ask(district_id, matter, theirs, None):
            with suppress(StaleVersion), self._database.transaction(district_id) as tx:
                actions.tell_nobody_left(tx, actor=engine_actor(district_id), assignments=leading)

    def _ask(
        self,
        district_id: str,
        matter: Matter,
        theirs: Sequence[Assignment],
        kinds: Sequence[str] | None,
    ) -> bool:
        """Ask the best unit that was not asked before; whether one is asked, or the incident has moved on.

        What the offer refuses is passed over: the roster in memory and the rows are read apart.
        """
        tried = {one.unit_id for one in theirs}
        while best := self._best(district_id, matter.id, frozenset(tried), kinds):
            try:
                with self._database.transaction(district_id) as tx:
                    actions.offer(
                        tx,
                        actor=engine_actor(district_id),
                        id=ids.new_id(),
                        incident_id=matter.id,
                        unit_id=best.unit_id,
                        expected_s=round(best.seconds, 1),
                        by_itself=True,
                    )
            except StaleVersion:
                return True
            except RuleBroken as refused:
                if refused.code == "matter.closed":
                    return True
                tried.add(best.unit_id)
            else:
                return True
        return False

    def _best(
        self, district_id: str, incident_id: str, but: frozenset[str], only: Sequence[str] | None
    ) -> Candidate | None:
        """The unit that should go; None when nobody can, or all are needed more elsewhere."""
        try:
            found = self._dispatcher.advise(district_id, [incident_id], but=but, only=only)
        except RuleBroken:  # a district without streets: a person must send
            return None
        return found[0].best if found else None


def _next_rung(ladder: Ladder, rung_id: str) -> Rung | None:
    """The rung above; None for the last one."""
    names = [rung.id for rung in ladder.rungs]
    above = names.index(rung_id) + 1 if rung_id in names else len(names)
    return ladder.rungs[above] if above < len(names) else None


def _look(connection: Connection, district_id: str) -> _Present:
    scope = engine_actor(district_id).scope
    waiting = matters_store.list_waiting(connection, scope, district_id, MatterKind.INCIDENT)
    open_now = {one.id: one for one in waiting}
    live = store.list_live(connection, district_id)
    assignments: dict[str, list[Assignment]] = {}
    runs: dict[str, list[RungRun]] = {}
    if open_now:
        for assignment in store.list_of_incidents(connection, district_id, list(open_now)):
            assignments.setdefault(assignment.incident_id, []).append(assignment)
        for run in store.list_runs(connection, district_id, list(open_now)):
            runs.setdefault(run.incident_id, []).append(run)
    return _Present(
        open_now,
        assignments,
        runs,
        [one for one in live if one.incident_id not in open_now],
        store.get_ladder(connection, district_id),
    )
