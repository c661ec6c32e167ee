"""The plan of the invented quarter that a demonstration shows: rectangles of ground, before they are bent.

Metres east and north of the quarter's middle. Nothing here is a survey: names and geometry are ours. `draw`
is how crowded a place gets beside the others at the height of the night (a weight in people per m²).
"""

from __future__ import annotations

from typing import NamedTuple

CENTRE_LON, CENTRE_LAT = 112.976, 28.196


class Ground(NamedTuple):
    """A rectangle of open ground that becomes a zone."""

    id: str
    zh: str
    en: str
    space: str
    west: float
    south: float
    east: float
    north: float
    draw: float
    usable_share: float = 0.9


class Edge(NamedTuple):
    """A gate to the outside on the rim of the quarter."""

    zone: str
    zh: str
    en: str
    x: float
    y: float
    width_m: float


class Passage(NamedTuple):
    """An indoor way, stairs or lift between two zones, as the line people walk."""

    way: str
    width_m: float
    zones: tuple[str, str]
    line: tuple[tuple[float, float], ...]


class Station(NamedTuple):
    """A post of the duty team or its partners."""

    kind: str
    zone: str
    zh: str
    en: str
    x: float
    y: float


GROUNDS = (
    Ground("z01", "五一广场", "Wuyi Square", "standing", -95, -70, 75, 75, 1.15),
    Ground("z02", "星汇步行街一段", "Xinghui Walk, Section 1", "moving", -17, 400, 17, 505, 1.4),
    Ground("z03", "星汇步行街二段", "Xinghui Walk, Section 2", "moving", -17, 281, 17, 400, 4.5),
    Ground("z04", "星汇步行街三段", "Xinghui Walk, Section 3", "moving", -17, 180, 17, 281, 2.7),
    Ground("z05", "星汇步行街四段", "Xinghui Walk, Section 4", "moving", -17, 75, 17, 180, 5.2),
    Ground("z06", "星汇步行街五段", "Xinghui Walk, Section 5", "moving", -17, -180, 17, -70, 4.3),
    Ground("z07", "星汇步行街六段", "Xinghui Walk, Section 6", "moving", -17, -289, 17, -180, 2.3),
    Ground("z08", "星汇步行街七段", "Xinghui Walk, Section 7", "moving", -14, -400, 14, -289, 1.7),
    Ground("z09", "星汇步行街八段", "Xinghui Walk, Section 8", "moving", -14, -505, 14, -400, 1.2),
    Ground("z10", "青石街西段", "Qingshi Street West", "moving", -362, 281, -17, 299, 0.9),
    Ground("z11", "青石街东段", "Qingshi Street East", "moving", 17, 281, 365, 299, 0.8),
    Ground("z12", "广场西街", "Square Street West", "moving", -362, -12, -95, 10, 1.3),
    Ground("z13", "广场东街", "Square Street East", "moving", 75, -10, 365, 10, 1.1),
    Ground("z14", "染坊街西段", "Ranfang Street West", "moving", -362, -289, -17, -271, 1.0),
    Ground("z15", "染坊街东段", "Ranfang Street East", "moving", 17, -286, 365, -268, 0.8),
    Ground("z16", "太和老街北段", "Taihe Old Street North", "moving", -197, 299, -183, 505, 1.0, 0.85),
    Ground("z17", "太和老街中段", "Taihe Old Street Middle", "moving", -197, 10, -183, 281, 1.9, 0.85),
    Ground("z18", "太和老街南段", "Taihe Old Street South", "moving", -197, -271, -183, -12, 6.8, 0.85),
    Ground("z19", "太和老街尾段", "Taihe Old Street End", "moving", -197, -505, -183, -289, 0.9, 0.85),
    Ground("z20", "朝阳里北段", "Chaoyang Lane North", "moving", 188, 299, 206, 505, 0.7, 0.85),
    Ground("z21", "朝阳里中段", "Chaoyang Lane Middle", "moving", 188, 10, 206, 281, 1.5, 0.85),
    Ground("z22", "朝阳里南段", "Chaoyang Lane South", "moving", 188, -268, 206, -10, 1.4, 0.85),
    Ground("z23", "朝阳里尾段", "Chaoyang Lane End", "moving", 188, -505, 206, -286, 0.6, 0.85),
    Ground("z24", "裁缝巷", "Tailor Alley", "moving", -183, 138, -17, 149, 2.6, 0.85),
    Ground("z25", "灯笼巷", "Lantern Alley", "moving", 17, 118, 188, 132, 4.9, 0.85),
    Ground("z26", "糖坊巷", "Tangfang Alley", "moving", -183, -162, -17, -151, 2.4, 0.85),
    Ground("z27", "书院巷", "Shuyuan Alley", "moving", 17, -192, 188, -180, 1.8, 0.85),
    Ground("z28", "江滨步道北段", "Riverside Promenade North", "standing", -420, 150, -362, 535, 0.55),
    Ground("z29", "江滨步道中段", "Riverside Promenade Middle", "standing", -420, -200, -362, 150, 1.2),
    Ground("z30", "江滨步道南段", "Riverside Promenade South", "standing", -420, -532, -362, -200, 0.5),
    Ground("z31", "东环路人行区北段", "East Ring Pavement North", "moving", 365, 0, 387, 505, 0.4),
    Ground("z32", "东环路人行区南段", "East Ring Pavement South", "moving", 365, -505, 387, 0, 0.35),
    Ground("z33", "北大道人行区西段", "North Boulevard Pavement West", "moving", -362, 505, -40, 533, 0.5),
    Ground("z34", "五一北站前坪", "Wuyi North Station Forecourt", "standing", -40, 505, 40, 562, 1.5),
    Ground("z35", "北大道人行区东段", "North Boulevard Pavement East", "moving", 40, 505, 387, 533, 0.45),
    Ground("z36", "南大道人行区西段", "South Boulevard Pavement West", "moving", -362, -532, -35, -505, 0.45),
    Ground("z37", "南门口站前坪", "South Gate Station Forecourt", "standing", -35, -560, 35, -505, 1.3),
    Ground("z38", "南大道人行区东段", "South Boulevard Pavement East", "moving", 35, -532, 387, -505, 0.4),
    Ground("z39", "星汇天街前坪", "Xinghui Mall Forecourt", "standing", 75, 10, 160, 75, 2.0, 0.85),
    Ground("z40", "银河城下沉广场", "Galaxy City Sunken Plaza", "standing", -95, 190, -17, 262, 1.4, 0.8),
    Ground("z41", "江畔剧院前坪", "Riverbank Theatre Forecourt", "standing", 17, -262, 90, -200, 1.2),
    Ground("z42", "夜市坪", "Night Market Ground", "standing", -290, -130, -197, -50, 6.3, 0.75),
    Ground("z43", "手艺人广场", "Craft Court", "standing", 206, 150, 290, 230, 0.8, 0.85),
    Ground("z44", "五一站A口前坪", "Wuyi Station Exit A Forecourt", "standing", -150, 10, -95, 60, 2.2),
    Ground("z45", "五一站B口前坪", "Wuyi Station Exit B Forecourt", "standing", 17, -122, 70, -70, 2.3),
    Ground("z46", "公交枢纽前坪", "Bus Hub Forecourt", "standing", 300, 60, 365, 140, 0.9),
    Ground("z47", "江天观景台", "Jiangtian View Terrace", "standing", -362, 92, -296, 182, 8.3, 0.8),
)

EDGES = (
    Edge("z28", "江滨北入口", "Riverside North Entrance", -391, 535, 14),
    Edge("z28", "游船码头", "Boat Landing", -420, 330, 8),
    Edge("z29", "江心桥引桥", "River Bridge Ramp", -420, 20, 10),
    Edge("z30", "江滨亲水台阶", "Riverside Steps", -420, -340, 8),
    Edge("z30", "江滨南入口", "Riverside South Entrance", -391, -532, 14),
    Edge("z33", "北大道西口", "North Boulevard West End", -300, 533, 12),
    Edge("z33", "北大道斑马线", "North Boulevard Crossing", -130, 533, 14),
    Edge("z34", "五一北站1号口", "Wuyi North Station Exit 1", -22, 562, 9),
    Edge("z34", "五一北站2号口", "Wuyi North Station Exit 2", 22, 562, 9),
    Edge("z35", "北大道东斑马线", "North Boulevard East Crossing", 160, 533, 12),
    Edge("z35", "东北角", "North-east Corner", 360, 533, 10),
    Edge("z31", "东环路北口", "East Ring North Crossing", 387, 400, 8),
    Edge("z31", "东环路天桥", "East Ring Footbridge", 387, 180, 8),
    Edge("z32", "东环路中口", "East Ring Middle Crossing", 387, -60, 9),
    Edge("z32", "东环路南口", "East Ring South Crossing", 387, -380, 8),
    Edge("z46", "公交枢纽站台", "Bus Hub Platforms", 330, 140, 12),
    Edge("z36", "南大道西口", "South Boulevard West End", -290, -532, 10),
    Edge("z36", "南大道斑马线", "South Boulevard Crossing", -120, -532, 12),
    Edge("z37", "南门口站1号口", "South Gate Station Exit 1", -18, -560, 9),
    Edge("z37", "南门口站2号口", "South Gate Station Exit 2", 18, -560, 9),
    Edge("z38", "南大道东口", "South Boulevard East End", 250, -532, 10),
    Edge("z44", "五一站A口", "Wuyi Station Exit A", -140, 60, 9),
    Edge("z45", "五一站B口", "Wuyi Station Exit B", 70, -100, 9),
    Edge("z39", "星汇天街北门", "Xinghui Mall North Door", 120, 75, 10),
    Edge("z40", "银河城正门", "Galaxy City Main Door", -95, 228, 10),
    Edge("z42", "夜市西口", "Night Market West Entrance", -290, -90, 8),
    Edge("z43", "手艺人广场东口", "Craft Court East Entrance", 290, 190, 8),
)

PASSAGES = (
    Passage("indoor", 6, ("z40", "z24"), ((-60, 190), (-62, 170), (-60, 149))),
    Passage("indoor", 8, ("z39", "z25"), ((110, 75), (112, 97), (110, 118))),
    Passage("indoor", 6, ("z39", "z21"), ((160, 40), (174, 42), (188, 40))),
    Passage("indoor", 5, ("z41", "z15"), ((55, -262), (55, -268))),
    Passage("indoor", 5, ("z44", "z17"), ((-150, 35), (-166, 38), (-183, 36))),
    Passage("stairs", 4, ("z40", "z10"), ((-70, 262), (-70, 281))),
    Passage("stairs", 5, ("z47", "z29"), ((-350, 100), (-358, 100), (-368, 100))),
    Passage("stairs", 4, ("z45", "z06"), ((24, -115), (10, -118))),
    Passage("lift", 2, ("z40", "z04"), ((-24, 200), (-12, 200))),
    Passage("lift", 2, ("z44", "z01"), ((-100, 20), (-88, 20))),
    Passage("lift", 2, ("z39", "z13"), ((150, 16), (150, 4))),
)

STATIONS = (
    Station("kiosk", "z01", "五一广场警务室", "Wuyi Square Police Kiosk", -85, 62),
    Station("kiosk", "z07", "步行街南段警务室", "Walk South Police Kiosk", 10, -235),
    Station("kiosk", "z29", "江滨警务室", "Riverside Police Kiosk", -372, -20),
    Station("volunteer", "z05", "裁缝巷口义警岗", "Tailor Alley Volunteer Post", -10, 143),
    Station("volunteer", "z18", "太和老街义警岗", "Taihe Street Volunteer Post", -190, -150),
    Station("volunteer", "z25", "灯笼巷义警岗", "Lantern Alley Volunteer Post", 100, 125),
    Station("rapid", "z13", "广场东街快警", "Square Street East Rapid Unit", 220, 0),
    Station("rapid", "z33", "北大道快警", "North Boulevard Rapid Unit", -180, 519),
    Station("lookout", "z01", "广场瞭望台", "Square Lookout", 60, -60),
    Station("lookout", "z47", "观景台瞭望台", "View Terrace Lookout", -305, 170),
    Station("safe_house", "z21", "朝阳里平安屋", "Chaoyang Lane Safe House", 202, 120),
    Station("safe_house", "z14", "染坊街平安屋", "Ranfang Street Safe House", -230, -280),
)

BRANDS = (
    ("老巷口", "Laoxiangkou"),
    ("橘洲", "Juzhou"),
    ("晚风", "Evening Breeze"),
    ("辣妹子", "Chilli Sister"),
    ("青瓦", "Blue Tile"),
    ("三两", "Three Liang"),
    ("湘里人", "Xiangliren"),
    ("半糖", "Half Sugar"),
    ("云上", "On the Clouds"),
    ("渡口", "The Ferry"),
    ("小满", "Xiaoman"),
    ("同福", "Tongfu"),
    ("阿婆", "Grandma's"),
)

TRADES = (
    ("food", "米粉店", "Rice Noodles"),
    ("shop", "服饰", "Fashion"),
    ("food", "茶饮", "Tea Bar"),
    ("shop", "文创店", "Gift Shop"),
    ("food", "臭豆腐", "Stinky Tofu"),
    ("shop", "便利店", "Convenience Store"),
    ("food", "小龙虾馆", "Crayfish House"),
    ("hotel", "客栈", "Inn"),
    ("service", "药房", "Pharmacy"),
    ("culture", "书店", "Bookshop"),
    ("shop", "数码店", "Digital Store"),
)
"""Every brand with every trade: 143 premises, whose names are all different."""

FACILITIES = (
    ("toilet", "z01", "五一广场公厕", "Wuyi Square Toilets", -92, -40),
    ("toilet", "z29", "江滨公厕", "Riverside Toilets", -364, 60),
    ("toilet", "z08", "步行街南段公厕", "Walk South Toilets", 13, -350),
    ("transport", "z44", "五一站", "Wuyi Metro Station", -140, 57),
    ("transport", "z34", "五一北站", "Wuyi North Metro Station", 0, 559),
    ("transport", "z37", "南门口站", "South Gate Metro Station", 0, -557),
    ("transport", "z46", "公交枢纽", "Bus Hub", 330, 137),
    ("culture", "z41", "江畔剧院", "Riverbank Theatre", 87, -230),
)

HEAD_ZONES = ("z01", "z03", "z05", "z06", "z18", "z29", "z42", "z47")
"""Zones whose people a camera also counts: the crowded ones, where a second source must confirm."""

SILENT_EDGE = "五一站A口"
"""The gate whose sensor loses its connection on the first evening."""
