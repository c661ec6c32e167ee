"""A scenario to begin with, made for a district: its largest zone fills up while a child is lost."""

from __future__ import annotations

from string import Template

from anshang.drills.scenario import PEOPLE_MOST
from anshang.places.model import Place

FULL_PER_M2, QUIET_PER_M2 = 4.5, 0.5
TEXT = Template("""# ${full_zh} ${full_en} · ${beside_zh} $beside_en
name_zh = "跨年夜：${full_zh}拥挤，儿童走失"
name_en = "New Year's Eve: ${full_en} fills up, a child is lost"
minutes = 30

[[crowd]]
zone = "$full"
people = [[0, $quiet], [5, $quiet], [12, $most], [20, $most], [28, $quiet]]

[[call]]
at = 2
text = "一名六岁男孩在人群中与家人走散 A boy of six has lost his family in the crowd"
category = "lost_person"
zone = "$beside"

[[call]]
at = 9
text = "有人被挤倒，膝盖受伤 Somebody was pushed over and hurt a knee"
category = "injury"
zone = "$full"

[[failure]]
zone = "$beside"
from = 14
until = 20

[answers]
after_s = 60
silent = []

[targets]
acknowledged = 30
sent = 60
on_scene = 300
ordered = 120
lookout = 60
found = 1200
""")


def sample(place: Place) -> str:
    """The text of a scenario that fits the place; a person changes it."""
    largest_m2 = PEOPLE_MOST / FULL_PER_M2  # a zone that no count could fill comes last
    zones = sorted(
        place.zones.values(), key=lambda zone: (zone.usable_m2 > largest_m2, -zone.usable_m2, zone.id)
    )
    if not zones:
        return ""
    full, beside = zones[0], zones[min(1, len(zones) - 1)]
    return TEXT.substitute(
        full=full.id,
        full_zh=_quoted(full.name_zh),
        full_en=_quoted(full.name_en),
        beside=beside.id,
        beside_zh=_quoted(beside.name_zh),
        beside_en=_quoted(beside.name_en),
        quiet=min(PEOPLE_MOST, round(QUIET_PER_M2 * full.usable_m2)),
        most=min(PEOPLE_MOST, round(FULL_PER_M2 * full.usable_m2)),
    )


def _quoted(name: str) -> str:
    """The name as it stands between the quotes of the file, and in a line of its own."""
    return "".join(" " if not one.isprintable() or one == "\\" else one for one in name).replace('"', "'")
