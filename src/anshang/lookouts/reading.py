"""What is known of a look-out, gathered for whoever leads it or takes part."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

import numpy as np
from sqlalchemy import Connection

from anshang.foundation.actor import Actor
from anshang.lookouts import store
from anshang.lookouts.model import PLAN, Lookout, State
from anshang.lookouts.parties import on_the_way
from anshang.lookouts.searching import Known, Suggestion
from anshang.lookouts.shapes import (
    ErasureShown,
    LookoutPage,
    LookoutShown,
    LookShown,
    PlaceShown,
    PlanStep,
    ReaderShown,
    RecordShown,
    SearchShown,
    SeenShown,
    SendShown,
)
from anshang.partners import store as partners
from anshang.partners.model import Answer, Partner, tally
from anshang.partners.shapes import TallyShown
from anshang.patrols.model import Unit
from anshang.people import store as people
from anshang.vault import actions as vault
from anshang.vault import store as vault_store
from anshang.web.shapes import BothLanguages

PLACES_SHOWN = 60


def page(connection: Connection, actor: Actor, lookout: Lookout) -> LookoutPage:
    """One look-out with everything but who it is."""
    district_id = lookout.district_id
    made = partners.list_deliveries(connection, district_id, [lookout.notice_id])
    names = {one.id: one for one in partners.list_partners(connection, actor.scope, district_id)}
    notice = partners.notices.get(connection, district_id, lookout.notice_id)
    records = vault_store.list_of_subjects(connection, district_id, [lookout.id])
    return LookoutPage(
        **shown(connection, lookout).model_dump(),
        plan=[
            PlanStep(
                step=str(step),
                due_at=lookout.opened_at + timedelta(seconds=within_s),
                done=step in lookout.steps,
            )
            for step, within_s in PLAN.items()
        ],
        tally=TallyShown.model_validate(tally(made)),
        seen=[
            SeenShown(
                partner_id=one.partner_id,
                name=_name(names.get(one.partner_id), one.partner_id),
                premises_id=names[one.partner_id].premises_id if one.partner_id in names else None,
                at=one.answered_at,
            )
            for one in sorted(made, key=lambda each: each.answered_at or lookout.opened_at)
            if one.answer is Answer.SEEN and one.answered_at is not None
        ],
        looks=[
            LookShown.model_validate(one) for one in store.list_looks(connection, district_id, [lookout.id])
        ],
        photo_id=notice.photo_id,
        erased=bool(records) and all(record.erased_at is not None for record in records),
    )


def shown(connection: Connection, lookout: Lookout) -> LookoutShown:
    """A look-out with the units that are on their way to look."""
    looks = store.list_looks(connection, lookout.district_id, [lookout.id])
    sent = on_the_way(looks) if lookout.state is State.OPEN else {}
    return LookoutShown.model_validate(lookout).model_copy(update={"sent": sent})


def shown_search(known: Known, suggestion: Suggestion, units: list[Unit]) -> SearchShown:
    """Where she may be, and what to do next."""
    doors, place = known.doors, known.doors.place
    names = {one.id: BothLanguages(zh=one.name_zh, en=one.name_en) for one in place.premises}
    names |= {id: BothLanguages(zh=one.name_zh, en=one.name_en) for id, one in place.gates.items()}
    zone_of = {one.id: one.zone_id for one in place.premises}
    zone_of |= {id: gate.zone_a for id, gate in place.gates.items()}
    zones: dict[str, float] = defaultdict(float)
    for number, id in enumerate(doors.ids):
        if (zone_id := zone_of[id]) is not None:
            zones[zone_id] += float(known.chance[number])
    wanted = {*suggestion.ask, *suggestion.watch, *(one.place_id for one in suggestion.send)}
    order = np.argsort(-known.chance, kind="stable").tolist()
    numbers = order[:PLACES_SHOWN] + [n for n in order[PLACES_SHOWN:] if doors.ids[n] in wanted]
    signs = {unit.id: unit.call_sign for unit in units}
    return SearchShown(
        at=known.at,
        places=[_place(known, n, names) for n in numbers],
        zones={id: round(share, 4) for id, share in zones.items() if share >= 0.0005},
        ask=list(suggestion.ask),
        watch=list(suggestion.watch),
        send=[
            SendShown(
                unit_id=one.unit_id,
                call_sign=signs.get(one.unit_id, one.unit_id),
                place_id=one.place_id,
                away_s=one.away_s,
                chance=one.chance,
                gain_per_min=one.gain_per_min,
            )
            for one in suggestion.send
        ],
        asked_share=round(float(known.chance[known.asked].sum()), 4),
        searched_share=round(float(known.chance[known.answered | known.watched].sum()), 4),
    )


def receipt(connection: Connection, lookout: Lookout) -> ErasureShown:
    """What became of everything that was kept about her; read with `EVERYWHERE` in view, for names."""
    told = vault.receipt(connection, lookout.district_id, lookout.id)
    kinds = {record.id: str(record.kind) for record in told.records}
    accounts = {one.id: one.display_name for one in people.list_accounts(connection)}
    notices = partners.list_about(connection, lookout.district_id, lookout.id)
    made = partners.list_deliveries(connection, lookout.district_id, [one.id for one in notices])
    names = partners.names_of(connection, lookout.district_id, [one.partner_id for one in made])
    readers = [
        ReaderShown(name=accounts.get(one.reader_id, one.reader_id), what=kinds[one.record_id], at=one.at)
        for one in told.readings
    ]
    readers += [
        ReaderShown(name=names.get(one.partner_id, one.partner_id), what="notice", at=one.opened_at)
        for one in made
        if one.opened_at is not None
    ]
    return ErasureShown(
        erased_at=told.erased_at,
        records=[RecordShown.model_validate(record) for record in told.records],
        readers=sorted(readers, key=lambda one: one.at),
    )


def _place(known: Known, number: int, names: dict[str, BothLanguages]) -> PlaceShown:
    id, away_s = known.doors.ids[number], float(known.away_s[number])
    lon, lat = known.doors.lonlat[number].tolist()
    return PlaceShown(
        id=id,
        name=names[id],
        lon=lon,
        lat=lat,
        is_exit=bool(known.doors.is_exit[number]),
        chance=round(float(known.chance[number]), 5),
        away_s=round(away_s, 1) if np.isfinite(away_s) else None,
        asked=bool(known.asked[number]),
        answered=bool(known.answered[number]),
        watched=bool(known.watched[number]),
    )


def _name(partner: Partner | None, id: str) -> BothLanguages:
    return (
        BothLanguages(zh=id, en=id)
        if partner is None
        else BothLanguages(zh=partner.name_zh, en=partner.name_en)
    )
