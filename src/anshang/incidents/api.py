"""Incidents over HTTP: reporting, one incident with everything known of it, and what is done with it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from fastapi import APIRouter, Depends
from pydantic import Field, StringConstraints

from anshang.foundation.actor import Permission
from anshang.incidents import actions, call_back, reading, sos
from anshang.incidents.model import Incident, LinkKind, Source, Spot, Step
from anshang.incidents.outsiders import budgets_of
from anshang.incidents.shapes import Grounds, IncidentPage, IncidentShown, MomentShown, TransferShown
from anshang.matters.model import Priority
from anshang.vault.calls import Keys
from anshang.web.session import Caller, DistrictQuery, shared
from anshang.web.shapes import Body, Code, Id, Instant, Words

router = APIRouter(tags=["incidents"])
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Urgency = Literal[1, 2, 3, 4]
Text = Annotated[str, StringConstraints(max_length=2000, strip_whitespace=True, pattern=r"^[^\x00]*$")]
Short = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=r"^[^\x00]*$")]
CallBack = Annotated[str, StringConstraints(pattern=r"^[0-9+][0-9 ()+-]{2,28}[0-9]$")]
QuestionKey = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
SourceName = Literal["phone", "kiosk", "patrol", "merchant", "sos", "public", "sensor"]
StepName = Literal[
    "call", "answered", "classified", "dispatched", "acknowledged", "moving", "on_scene", "controlled",
    "cleared",
]  # fmt: skip


class Place(Body):
    """Where it is: a point (WGS-84 degrees), a zone, premises, and words; each may be missing."""

    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    zone_id: Code | None = None
    premises_id: Code | None = None
    words: Short = ""

    def spot(self) -> Spot:
        """As the room knows it; half a point is none."""
        whole = self.lon is not None and self.lat is not None
        lon, lat = (self.lon, self.lat) if whole else (None, None)
        return Spot(lon, lat, self.zone_id, self.premises_id, self.words)


class NewIncident(Body):
    """Something that is reported; `taken` when whoever reports it takes care of it. The number to call back
    goes into the vault; of a call for help, whose sender is known, none is kept.
    """

    SECRET: ClassVar[frozenset[str]] = frozenset({"call_back"})

    id: Id
    source: SourceName
    text: Text = ""
    category_id: Code | None = None
    priority: Urgency | None = None
    place: Place = Place()
    called_at: Instant | None = Field(default=None, strict=False)
    drill: bool = False
    taken: bool | None = None
    call_back: CallBack | None = None


class NewText(Body):
    """What has been typed so far, and where it may be."""

    text: Text
    place: Place = Place()


class NewClass(Body):
    """What it is."""

    category_id: Code
    priority: Urgency | None = None
    version: Version


class NewPlace(Body):
    """Where it is."""

    place: Place
    version: Version


class NewAnswers(Body):
    """What was answered to the category's questions."""

    answers: Annotated[dict[QuestionKey, Short], Field(min_length=1, max_length=20)]
    version: Version


class NewMoment(Body):
    """When a step happened; `corrects` names a moment that was wrong."""

    id: Id
    step: StepName
    at: Instant = Field(strict=False)
    corrects: Id | None = None


class Ending(Body):
    """How it ended; `insist` when a person has confirmed that nobody was there."""

    outcome: Words
    version: Version
    insist: bool = False


class NewLink(Body):
    """Another incident that belongs to this one."""

    id: Id
    other_id: Id
    kind: Literal["duplicate", "related"]


class NewTransfer(Body):
    """The body it is offered to, and why."""

    id: Id
    to_body_id: Id
    reason: Words


class NewAnswer(Body):
    """Whether the body takes it; if not, why."""

    accepted: bool
    words: Short = ""


Sending = Annotated[sos.Senders, Depends(shared(sos.Senders))]


@router.post("/api/incidents")
def report(
    body: NewIncident, district: DistrictQuery, caller: Caller, senders: Sending, keyring: Keys
) -> IncidentShown:
    """Report an incident. A call for help (`sos`) is taken from anybody who is signed in."""
    caller.spend(*budgets_of(caller.actor, Source(body.source)))
    sender = None
    if body.source == "sos":
        with caller.runtime.database.reading(sos.reading(caller.actor, district)) as connection:
            district = sos.district_of(connection, caller.actor, district)
            unit = senders.find(connection, district, caller.actor.id)
        sender = sos.Sender(caller.actor.id, *(unit or ()))
    with caller.writing(district, None if sender else body) as tx:  # help is never refused
        incident = actions.report(
            tx,
            actor=caller.actor,
            id=body.id,
            source=Source(body.source),
            text=body.text,
            category_id=None if sender else body.category_id,
            priority=None if body.priority is None else Priority(body.priority),
            spot=body.place.spot(),
            called_at=body.called_at,
            drill=body.drill,
            taken=body.taken is True,
            sender=sender,
        )
        if body.call_back and sender is None:
            call_back.keep(tx, keyring, actor=caller.actor, incident_id=incident.id, number=body.call_back)
    return _shown(incident)


@router.post("/api/incidents/grounds")
def grounds(body: NewText, district: DistrictQuery, caller: Caller) -> Grounds:
    """While somebody types: the category that the text speaks of, what may be the same, and what happened at
    the premises before. Nothing is kept.
    """
    caller.actor.must(Permission.INCIDENT_REPORT, district)
    with caller.reading(district) as connection:
        return reading.grounds(connection, caller.actor, district, body.text, body.place.spot())


@router.get("/api/incidents/{id}")
def page(id: Id, district: DistrictQuery, caller: Caller) -> IncidentPage:
    """One incident: its steps, category, answers, what may be the same, links and transfers."""
    caller.actor.must(Permission.MATTER_READ, district)
    with caller.reading(district) as connection:
        return reading.page(connection, caller.actor, district, id)


@router.post("/api/incidents/{id}/classify")
def classify(id: Id, body: NewClass, district: DistrictQuery, caller: Caller) -> IncidentShown:
    """Say what it is."""
    urgency = None if body.priority is None else Priority(body.priority)
    with caller.writing(district) as tx:
        incident = actions.classify(
            tx,
            actor=caller.actor,
            id=id,
            category_id=body.category_id,
            priority=urgency,
            version=body.version,
        )
    return _shown(incident)


@router.post("/api/incidents/{id}/locate")
def locate(id: Id, body: NewPlace, district: DistrictQuery, caller: Caller) -> IncidentShown:
    """Say where it is."""
    with caller.writing(district) as tx:
        spot = body.place.spot()
        return _shown(actions.locate(tx, actor=caller.actor, id=id, spot=spot, version=body.version))


@router.post("/api/incidents/{id}/answers")
def question(id: Id, body: NewAnswers, district: DistrictQuery, caller: Caller) -> IncidentShown:
    """Keep what was answered to the category's questions."""
    with caller.writing(district) as tx:
        incident = actions.question(tx, actor=caller.actor, id=id, answers=body.answers, version=body.version)
    return _shown(incident)


@router.post("/api/incidents/{id}/moments")
def mark(id: Id, body: NewMoment, district: DistrictQuery, caller: Caller) -> MomentShown:
    """Tell when a step happened, or correct what was told."""
    with caller.writing(district, body) as tx:
        moment = actions.mark(
            tx,
            actor=caller.actor,
            id=body.id,
            incident_id=id,
            step=Step(body.step),
            at=body.at,
            corrects=body.corrects,
        )
    return MomentShown.model_validate(moment)


@router.post("/api/incidents/{id}/clear")
def clear(id: Id, body: Ending, district: DistrictQuery, caller: Caller) -> IncidentShown:
    """It is over."""
    with caller.writing(district) as tx:
        ended = actions.clear(
            tx,
            actor=caller.actor,
            id=id,
            outcome=body.outcome,
            version=body.version,
            insist=body.insist,
        )
        return _shown(ended)


@router.post("/api/incidents/{id}/cancel")
def cancel(id: Id, body: Ending, district: DistrictQuery, caller: Caller) -> IncidentShown:
    """It was none, or is no longer wanted."""
    with caller.writing(district) as tx:
        ended = actions.cancel(tx, actor=caller.actor, id=id, reason=body.outcome, version=body.version)
        return _shown(ended)


@router.post("/api/incidents/{id}/reopen")
def reopen(id: Id, district: DistrictQuery, caller: Caller) -> IncidentShown:
    """It was not over after all."""
    with caller.writing(district) as tx:
        return _shown(actions.reopen(tx, actor=caller.actor, id=id))


@router.post("/api/incidents/{id}/links", status_code=204)
def link(id: Id, body: NewLink, district: DistrictQuery, caller: Caller) -> None:
    """Say that another incident belongs to it; as a duplicate this one repeats the other."""
    with caller.writing(district, body) as tx:
        kind = LinkKind(body.kind)
        actions.link(tx, actor=caller.actor, id=body.id, incident_id=id, other_id=body.other_id, kind=kind)


@router.post("/api/incidents/{id}/transfers")
def offer(id: Id, body: NewTransfer, district: DistrictQuery, caller: Caller) -> TransferShown:
    """Offer it to another body."""
    with caller.writing(district, body) as tx:
        offered = actions.offer(
            tx,
            actor=caller.actor,
            id=body.id,
            incident_id=id,
            to_body_id=body.to_body_id,
            reason=body.reason,
        )
    return TransferShown.model_validate(offered)


@router.post("/api/transfers/{id}")
def answer_offer(id: Id, body: NewAnswer, district: DistrictQuery, caller: Caller) -> TransferShown:
    """Take an incident that was offered, or say why not."""
    with caller.writing(district) as tx:
        answered = actions.answer_offer(
            tx, actor=caller.actor, id=id, accepted=body.accepted, words=body.words
        )
    return TransferShown.model_validate(answered)


def _shown(incident: Incident) -> IncidentShown:
    return IncidentShown.model_validate(incident)
