"""What the pages of volunteer teams show: to those who direct, and to a volunteer."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import Connection

from anshang.foundation import clock
from anshang.patrols import store as patrols
from anshang.people import store as people
from anshang.places import store as places
from anshang.volunteers import store
from anshang.volunteers.actions import stretches
from anshang.volunteers.model import Certificate, SignUp, TeamShift, served_s
from anshang.volunteers.shapes import (
    CertificateShown,
    MyShift,
    MyTeam,
    SignUpShown,
    TeamShiftShown,
    TeamShown,
    VolunteerShown,
    WhyNot,
)
from anshang.volunteers.shift_actions import unfit_for

KEPT = timedelta(days=30)
"""For so long shifts that are over are shown to those who direct."""


def team(connection: Connection, district_id: str) -> TeamShown:
    """Everybody who asked to join or takes part, the shifts from a month ago on, and every certificate."""
    names = _names(connection, district_id)
    year = _year(connection, district_id)
    shifts = store.list_shifts(connection, district_id, clock.now() - KEPT)
    signed = store.list_sign_ups(connection, district_id, [shift.id for shift in shifts])
    return TeamShown(
        volunteers=[
            VolunteerShown(
                id=one.id,
                body_id=one.body_id,
                applied_at=one.applied_at,
                state=str(one.state),
                vetted_by=names.get(one.vetted_by or ""),
                account_id=one.account_id,
                name=names.get(one.account_id or ""),
                served_s=_served_s(connection, district_id, one.account_id, year),
            )
            for one in store.list_volunteers(connection, district_id)
        ],
        shifts=[
            TeamShiftShown.model_validate(
                {**_told(shift), "taken": [_taken(one, names) for one in signed if one.shift_id == shift.id]}
            )
            for shift in shifts
        ],
        certificates=[
            _certificate(one, names) for one in store.list_certificates(connection, district_id, None)
        ],
    )


def mine(connection: Connection, district_id: str, account_id: str) -> MyTeam:
    """A volunteer's own page: what they may sign up for, what they have, their hours of the year."""
    if store.find_member(connection, district_id, account_id) is None:
        return MyTeam(member=False, trusted=False, shifts=[], served_s=0.0, certificates=[])
    (member,) = patrols.list_members(connection, district_id, (account_id,))
    names = _names(connection, district_id)
    shifts = [
        shift
        for shift in store.list_shifts(connection, district_id, clock.now())
        if shift.cancelled_at is None
    ]
    signed = store.list_sign_ups(connection, district_id, [shift.id for shift in shifts])
    shown = []
    for shift in shifts:
        taken = [one for one in signed if one.shift_id == shift.id]
        own = next((one for one in taken if one.account_id == account_id), None)
        reasons = unfit_for(connection, shift, member)
        shown.append(
            MyShift.model_validate(
                {
                    **_told(shift),
                    "free": shift.wanted - len(taken),
                    "mine": None if own is None else _taken(own, names),
                    "offers": [one.id for one in taken if one.offered and one is not own],
                    "why_not": [WhyNot(zh=each.zh, en=each.en, rule=each.rule) for each in reasons],
                }
            )
        )
    return MyTeam(
        member=True,
        trusted=member is not None and member.trusted,
        shifts=shown,
        served_s=_served_s(connection, district_id, account_id, _year(connection, district_id)),
        certificates=[
            _certificate(one, names) for one in store.list_certificates(connection, district_id, account_id)
        ],
    )


def certificate(connection: Connection, made: Certificate) -> CertificateShown:
    """One certificate, with the name to print on it."""
    return _certificate(made, _names(connection, made.district_id))


def _told(shift: TeamShift) -> dict[str, object]:
    return {name: getattr(shift, name) for name in TeamShiftShown.model_fields if name != "taken"}


def _taken(one: SignUp, names: dict[str, str]) -> SignUpShown:
    return SignUpShown(
        id=one.id,
        name=names.get(one.account_id, ""),
        offered=one.offered,
        came_at=one.came_at,
        went_at=one.went_at,
        confirmed=one.confirmed_by is not None,
    )


def _certificate(one: Certificate, names: dict[str, str]) -> CertificateShown:
    return CertificateShown(
        code=one.id,
        name=names.get(one.account_id, ""),
        from_on=one.from_on,
        until_on=one.until_on,
        served_s=one.served_s,
        times=one.times,
        issued_at=one.issued_at,
        revoked_at=one.revoked_at,
    )


def _names(connection: Connection, district_id: str) -> dict[str, str]:
    accounts = people.list_accounts(connection)
    return {one.id: one.display_name for one in accounts if district_id in one.district_ids}


def _year(connection: Connection, district_id: str) -> tuple[datetime, datetime]:
    """From the first day of the district's year until now."""
    local = places.get_district(connection, district_id).local(clock.now())
    return datetime.combine(local.date().replace(month=1, day=1), time(), local.tzinfo), local


def _served_s(
    connection: Connection, district_id: str, account_id: str | None, year: tuple[datetime, datetime]
) -> float:
    return 0.0 if account_id is None else served_s(stretches(connection, district_id, account_id), *year)
