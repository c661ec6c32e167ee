"""Training the forecast of a district from its store. It is done in a process of its own, so that nothing
that befalls it touches the server: the model in use serves on until a better one is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
from sqlalchemy import Connection

from anshang.crowds import trained_actions as actions
from anshang.crowds import trained_store as store
from anshang.crowds.model import ModelState, TrainedModel
from anshang.crowds.past import quarters_grid, read_quarters
from anshang.crowds.telemetry import DAY_MS, MINUTE_S, QUARTER_MS, ROLLED, read_mark, zone_people
from anshang.crowds.trained import FINE, FINE_S, QUARTER_S, Figures, Record, Trained, train, unpacked
from anshang.foundation import clock, ids
from anshang.foundation.actor import Actor
from anshang.foundation.database import Database
from anshang.foundation.errors import BadInput
from anshang.kernels.daygrid import Reals, mean_known
from anshang.places import store as places

DAYS_MAX, DAYS_MIN = 180, 28
FINE_DAYS = 16
TRIED = timedelta(days=14)


def train_district(
    database: Database,
    district_id: str,
    *,
    actor: Actor,
    threads: int = 2,
    progress: Callable[[float], None] = lambda share: None,
) -> TrainedModel:
    """Train on what the district's store knows, and keep what came of it; in use when it was better.

    BadInput with less than DAYS_MIN days of counts.
    """
    with database.reading([district_id]) as connection:
        record, zone_ids, until_ms = read_record(connection, district_id)
        known = store.find_in_use(connection, district_id)
        content = None if known is None else store.read_trees(connection, district_id, known.id)
    running = None if content is None else _readable(content)
    trained, figures = train(record, zone_ids, running, threads, progress)
    until_at = clock.from_ms(until_ms) - TRIED
    model = TrainedModel(
        ids.new_id(),
        district_id,
        clock.now(),
        until_at,
        record.quarters.shape[1] * QUARTER_MS // DAY_MS,
        len(zone_ids),
        ModelState.NOT_BETTER,
        {name: _told(each) for name, each in figures.items()},
    )
    with database.transaction(district_id) as tx:
        return actions.keep(tx, actor=actor, model=model, trees=trained.packed())


def read_record(connection: Connection, district_id: str) -> tuple[Record, tuple[str, ...], int]:
    """What is known of a district's zones up to the last quarter rolled up, the zones, and until when."""
    place = places.load(connection, district_id)
    zone_ids = tuple(place.zones)
    until_ms = (read_mark(connection, district_id, ROLLED) or 0) // QUARTER_MS * QUARTER_MS
    from_ms = until_ms - DAYS_MAX * DAY_MS
    quarters = read_quarters(connection, district_id, zone_ids, (from_ms, until_ms))
    known = np.flatnonzero((~np.isnan(quarters)).any(axis=0))
    days = 0 if not len(known) else (quarters.shape[1] - int(known[0])) * QUARTER_S // 86_400
    if days < DAYS_MIN:
        raise BadInput(
            "forecast.too_short",
            en=f"The forecast is trained on {DAYS_MIN} days or more; {days} are known.",
            zh=f"训练预测至少需要 {DAYS_MIN} 天的数据；目前有 {days} 天。",
        )
    quarters, from_ms = quarters[:, known[0] :], from_ms + int(known[0]) * QUARTER_MS
    tried_from = clock.from_ms(until_ms) - TRIED
    grid = quarters_grid(connection, place.district, from_ms, quarters.shape[1], tried_from=tried_from)
    minutes = zone_people(
        connection, district_id, zone_ids, (until_ms - FINE_DAYS * DAY_MS, until_ms), MINUTE_S
    )
    fine = mean_known(minutes.reshape(len(zone_ids), -1, FINE_S // MINUTE_S), axis=2)
    unknown = np.repeat(np.isnan(quarters), FINE, axis=1)[:, -fine.shape[1] :]
    return Record(quarters, grid, np.where(unknown, np.nan, fine)), zone_ids, until_ms


def _readable(content: str) -> Trained | None:
    try:
        return unpacked(content)
    except ValueError:
        return None


def _told(figures: Figures) -> dict[str, list[float | None]]:
    def rounded(values: Reals) -> list[float | None]:
        return [round(float(value), 5) if np.isfinite(value) else None for value in values]

    return {name: rounded(getattr(figures, name)) for name in Figures._fields}
