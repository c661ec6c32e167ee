"""What is done with trained forecasts: one is kept, and shown when it was better; a person may choose one."""

from __future__ import annotations

from dataclasses import replace

from anshang.crowds import trained_store as store
from anshang.crowds.model import CrowdKind, ModelState, TrainedModel
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import RuleBroken
from anshang.journal import actions as journal

KEPT_COUNT = 10
"""Beside the one in use; older ones are forgotten."""
PLAIN = ""
"""Chosen instead of a model: the outlook that needs no training."""


def keep(tx: Transaction, *, actor: Actor, model: TrainedModel, trees: str) -> TrainedModel:
    """Keep a new model, and take it into use when it was better on the last week than the one in use."""
    actor.must(Permission.CROWD_CONFIGURE, tx.district_id)
    better = model.gain_share > 0
    kept = replace(model, state=ModelState.NOT_BETTER)
    store.trained_models.add(tx, kept)
    store.add_trees(tx, model.id, trees)
    details = {"gain_share": round(model.gain_share, 4), "days": model.days_count, "better": better}
    journal.record(
        tx, actor_id=actor.id, kind=CrowdKind.FORECAST_TRAINED, subject_id=model.id, details=details
    )
    old = [m for m in store.list_trained(tx.connection, tx.district_id) if m.state is not ModelState.IN_USE]
    store.drop_models(tx, [m.id for m in old[KEPT_COUNT:] if m.id != model.id])
    return _choose(tx, actor, kept) if better else kept


def choose(tx: Transaction, *, actor: Actor, id: str) -> TrainedModel | None:
    """Show this model's forecast from now on, or with PLAIN the outlook without training; what is in use."""
    actor.must(Permission.CROWD_CONFIGURE, tx.district_id)
    if id == PLAIN:
        if (known := store.find_in_use(tx.connection, tx.district_id)) is not None:
            _put_aside(tx, known)
            _tell_chosen(tx, actor, PLAIN, known)
        return None
    wanted = store.trained_models.get(tx.connection, tx.district_id, id)
    return wanted if wanted.state is ModelState.IN_USE else _choose(tx, actor, wanted)


def tell_failure(tx: Transaction, *, actor: Actor, reason: str) -> None:
    """Record that a training came to nothing; what is in use serves on."""
    actor.must(Permission.CROWD_CONFIGURE, tx.district_id)
    journal.record(
        tx,
        actor_id=actor.id,
        kind=CrowdKind.FORECAST_FAILED,
        subject_id=tx.district_id,
        details={"reason": reason},
    )


def _choose(tx: Transaction, actor: Actor, wanted: TrainedModel) -> TrainedModel:
    if store.read_trees(tx.connection, tx.district_id, wanted.id) is None:
        raise RuleBroken(
            "trained_models.forgotten",
            en="What this model learnt is not kept any more.",
            zh="该模型的训练结果已不再保存。",
        )
    known = store.find_in_use(tx.connection, tx.district_id)
    if known is not None:
        _put_aside(tx, known)
    _tell_chosen(tx, actor, wanted.id, known)
    return store.trained_models.put(tx, replace(wanted, state=ModelState.IN_USE))


def _put_aside(tx: Transaction, known: TrainedModel) -> None:
    store.trained_models.put(tx, replace(known, state=ModelState.REPLACED))


def _tell_chosen(tx: Transaction, actor: Actor, id: str, before: TrainedModel | None) -> None:
    details = {"instead_of": None if before is None else before.id, "plain": id == PLAIN}
    subject = id or tx.district_id
    journal.record(tx, actor_id=actor.id, kind=CrowdKind.FORECAST_CHOSEN, subject_id=subject, details=details)
