"""Photographs over HTTP. Other personal data goes in and out through the room that it belongs to."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Annotated, Literal

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Body, Depends, Query, Response

from anshang.foundation.actor import Permission
from anshang.vault import actions
from anshang.vault.calls import Keys
from anshang.vault.model import Purpose, RecordKind
from anshang.web.budgets import Budget
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Id, Shown

router = APIRouter(tags=["vault"])
PhotoPurpose = Annotated[Literal["lookout", "report"], Query()]
PICTURES = Budget("photo", most=20)
"""For one account: somebody who photographs a scene stays below it."""
ONE_AT_A_TIME = CapacityLimiter(1)
"""A decoder takes hundreds of megabytes for a large picture."""


class PhotoShown(Shown):
    """A photograph that is kept, and for how long."""

    id: str
    expires_at: str


async def _plain_picture(
    content: Annotated[bytes, Body(media_type="application/octet-stream")],
    purpose: PhotoPurpose,
    district: DistrictQuery,
    caller: Caller,
) -> bytes:
    """What was sent, as it may be kept; those that wait for the decoder hold no thread."""
    caller.actor.must(Permission.PERSON_KEEP, district)
    if Purpose(purpose) is Purpose.LOOKOUT:
        caller.actor.must(Permission.LOOKOUT_OPEN, district)
    caller.spend(PICTURES)
    decode = resolve_name("anshang.vault.pictures:plain_jpeg")  # Pillow is loaded for it
    plain: bytes = await to_thread.run_sync(decode, content, limiter=ONE_AT_A_TIME)
    return plain


@router.post("/api/photos/{id}")
def keep_photo(
    id: Id,
    of: Annotated[Id, Query()],
    purpose: PhotoPurpose,
    plain: Annotated[bytes, Depends(_plain_picture)],
    district: DistrictQuery,
    caller: Caller,
    keyring: Keys,
) -> PhotoShown:
    """Keep a photograph `of` an incident or a look-out: small, and bare of what the camera wrote in it."""
    with caller.writing(district) as tx:
        actions.must_have_reported(tx, caller.actor, of)
        kept = actions.keep(
            tx,
            keyring,
            actor=caller.actor,
            id=id,
            subject_id=of,
            kind=RecordKind.PHOTO,
            purpose=Purpose(purpose),
            content=plain,
        )
    return PhotoShown(id=kept.id, expires_at=kept.expires_at.isoformat())


@router.get(
    "/api/photos/{id}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def photo(id: Id, purpose: PhotoPurpose, district: DistrictQuery, caller: Caller, keyring: Keys) -> Response:
    """A photograph, for the purpose it was given for; that it was looked at is journalled."""
    with caller.writing(district) as tx:
        content = actions.read(
            tx, keyring, actor=caller.actor, id=id, purpose=Purpose(purpose), kind=RecordKind.PHOTO
        )
    return Response(content, media_type="image/jpeg")
