"""What is done with a district's categories: define, retire."""

from __future__ import annotations

from dataclasses import replace

from anshang.foundation import ids
from anshang.foundation.actor import Actor, Permission
from anshang.foundation.database import Transaction
from anshang.foundation.errors import NotFound, RuleBroken
from anshang.foundation.lines import check_changed_names
from anshang.incidents import store
from anshang.incidents.categories import Category
from anshang.incidents.model import IncidentKind
from anshang.journal import actions as journal


def define_category(tx: Transaction, *, actor: Actor, category: Category) -> Category:
    """Add a category of the district's own, or change one, also a built-in one."""
    actor.must(Permission.INCIDENT_CONFIGURE, tx.district_id)
    known = store.list_categories(tx.connection, tx.district_id)
    ids.checked_code(category.id)
    category.check({**known, category.id: category})
    check_changed_names(known.get(category.id), category, "name_zh", "name_en")
    if known.get(category.id) == category:
        return category
    store.put_category(tx, category)
    journal.record(tx, actor_id=actor.id, kind=IncidentKind.DEFINED, subject_id=category.id)
    return category


def retire_category(tx: Transaction, *, actor: Actor, id: str) -> Category:
    """Offer a category no more; what was classified so keeps its words. Retiring it again changes nothing."""
    actor.must(Permission.INCIDENT_CONFIGURE, tx.district_id)
    known = store.list_categories(tx.connection, tx.district_id)
    if id not in known:
        raise NotFound("category.missing", en="There is no such category.", zh="没有该类别。")
    if any(one.parent_id == id and not one.retired for one in known.values()):
        raise RuleBroken(
            "category.has_children", en="Retire the categories below it first.", zh="请先停用其下级类别。"
        )
    if known[id].retired:
        return known[id]
    retired = replace(known[id], retired=True)
    store.put_category(tx, retired)
    journal.record(tx, actor_id=actor.id, kind=IncidentKind.RETIRED, subject_id=id)
    return retired
