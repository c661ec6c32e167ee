"""How good the forecast was, its trained models, and choosing one, over HTTP."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from anshang.crowds import quality as measuring
from anshang.crowds import trained_actions as actions
from anshang.crowds import trained_store as store
from anshang.crowds.ahead import HORIZONS_S
from anshang.crowds.model import CrowdKind, TrainedModel
from anshang.foundation import clock
from anshang.foundation.actor import Permission
from anshang.journal import store as journal
from anshang.web.session import Caller, DistrictQuery
from anshang.web.shapes import Body, Shown

router = APIRouter(prefix="/api/crowd/forecast", tags=["crowd"])


class HorizonQualityShown(Shown):
    """Forecasts of one horizon over the span, with or without a trained model."""

    horizon_s: int
    trained: bool
    forecasts_count: int
    error: float
    error_still: float
    loss: float
    covered80: float
    covered95: float


class WarningQualityShown(Shown):
    """Warnings that ended: came, averted, passed by itself; `missed`: the level came unwarned."""

    came: int
    averted: int
    passed: int
    missed: int
    lead_s: float | None


class ForecastQualityShown(Shown):
    """How good the forecast was over a span."""

    from_at: datetime
    to_at: datetime
    horizons: list[HorizonQualityShown]
    warnings: WarningQualityShown


class FiguresShown(Shown):
    """Over the last week before the training, for each horizon; null where nothing could be compared."""

    loss: list[float | None]
    error: list[float | None]
    covered80: list[float | None]


class TrainedModelShown(Shown):
    """A trained model, beside the one in use then and the outlook without training."""

    id: str
    trained_at: datetime
    learnt_until_at: datetime
    days_count: int
    zones_count: int
    state: str
    gain_share: float
    horizons_s: list[int]
    figures: dict[str, FiguresShown]


class FailureShown(Shown):
    """The last training that came to nothing, when no later one succeeded."""

    at: datetime
    reason: str


class ModelsShown(Shown):
    """The trained models, the newest first, and what went wrong after the newest."""

    models: list[TrainedModelShown]
    failure: FailureShown | None


class Choice(Body):
    """Which model to show from now on; empty for the outlook without training."""

    id: str = Field(max_length=36)


@router.get("/quality")
def quality(
    district: DistrictQuery, caller: Caller, days: Annotated[int, Query(ge=1, le=90)] = 30
) -> ForecastQualityShown:
    """How good the forecast was over the last days."""
    caller.actor.must(Permission.CROWD_READ, district)
    now = clock.now()
    with caller.reading(district) as connection:
        found = measuring.quality(connection, district, now - timedelta(days=days), now)
    return ForecastQualityShown.model_validate(found)


@router.get("/models")
def models(district: DistrictQuery, caller: Caller) -> ModelsShown:
    """The trained models, the newest first."""
    caller.actor.must(Permission.CROWD_READ, district)
    with caller.reading(district) as connection:
        known = store.list_trained(connection, district)
        failed = journal.list_before(connection, [district], kind=str(CrowdKind.FORECAST_FAILED), limit=1)
    failure = None
    if failed and (not known or failed[0].at > known[0].trained_at):
        failure = FailureShown(at=failed[0].at, reason=failed[0].details["reason"])
    return ModelsShown(models=[_shown(model) for model in known], failure=failure)


@router.post("/choice")
def choose(choice: Choice, district: DistrictQuery, caller: Caller) -> TrainedModelShown | None:
    """Show this model's forecast from now on; null when it is the outlook without training."""
    with caller.writing(district) as tx:
        chosen = actions.choose(tx, actor=caller.actor, id=choice.id)
    return None if chosen is None else _shown(chosen)


def _shown(model: TrainedModel) -> TrainedModelShown:
    return TrainedModelShown(
        id=model.id,
        trained_at=model.trained_at,
        learnt_until_at=model.learnt_until_at,
        days_count=model.days_count,
        zones_count=model.zones_count,
        state=str(model.state),
        gain_share=model.gain_share,
        horizons_s=list(HORIZONS_S),
        figures={name: FiguresShown.model_validate(each) for name, each in model.figures.items()},
    )
