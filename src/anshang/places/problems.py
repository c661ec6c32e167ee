"""What can be wrong with a place document, in both languages, and the list of what is wrong with one."""

from __future__ import annotations

from dataclasses import dataclass, field

from anshang.foundation.errors import BadInput

SHOWN_MAX = 1000
"""Problems listed for one document; more are only counted."""

MESSAGES: dict[str, tuple[str, str]] = {
    "document.member": ("the file lacks the member “{field}”", "文件缺少成员“{field}”"),
    "document.format": (
        "“format” must be 1, the only format there is so far",
        "“format”必须为 1（目前唯一的格式）",
    ),
    "document.crs": (
        "the coordinate system “{crs}” is not WGS-84; GeoJSON is always WGS-84",
        "坐标系“{crs}”不是 WGS-84；GeoJSON 必须使用 WGS-84",
    ),
    "document.no_zone": ("there is no zone that can be used", "没有可用的分区"),
    "feature.type": ("this is not a GeoJSON Feature", "这不是 GeoJSON Feature"),
    "feature.kind": (
        "unknown kind “{value}”; there are zone, gate, walkway, premises and post",
        "未知类别“{value}”；可用类别：zone、gate、walkway、premises、post",
    ),
    "field.missing": ("“{field}” is missing", "缺少“{field}”"),
    "field.unknown": ("a {kind} has no “{field}”", "{kind} 没有字段“{field}”"),
    "field.text": ("“{field}” must be a text", "“{field}”必须是文本"),
    "field.number": ("“{field}” must be a finite number", "“{field}”必须是有限数字"),
    "field.range": (
        "“{field}” is {value}; it must be more than {low} and at most {high}",
        "“{field}”为 {value}；必须大于 {low} 且不超过 {high}",
    ),
    "field.bool": ("“{field}” must be true or false", "“{field}”必须是 true 或 false"),
    "field.object": ("“{field}” must be an object", "“{field}”必须是对象"),
    "field.choice": (
        "“{field}” is “{value}”; it must be one of: {choices}",
        "“{field}”为“{value}”；可选值：{choices}",
    ),
    "field.code": (
        "“{field}” is “{value}”; it must be small letters, digits, dot, dash or underscore, at most 64",
        "“{field}”为“{value}”；只能用小写字母、数字、点、短横、下划线，最多 64 个字符",
    ),
    "field.time_zone": (
        "“{value}” is not a time zone, as Asia/Shanghai is",
        "“{value}”不是时区名称（例如 Asia/Shanghai）",
    ),
    "field.time": ("“{value}” is not a time of day, as 05:00 is", "“{value}”不是时刻（例如 05:00）"),
    "field.country": (
        "“{value}” is not a country code of two capitals",
        "“{value}”不是两个大写字母的国家代码",
    ),
    "name.missing": ("the name in {english} is missing", "缺少{chinese}名称"),
    "name.unprintable": ("“{field}” holds signs that cannot be shown", "“{field}”含有无法显示的字符"),
    "thresholds.unsound": (
        "“thresholds” must be four rises that grow and four falls, each above zero and below its rise",
        "“thresholds”须有四个递增的上升值和四个回落值，回落值须大于零且小于对应上升值",
    ),
    "id.duplicate": ("“{id}” is already used on line {other}", "“{id}”已在第 {other} 行使用"),
    "geometry.kind": (
        "the geometry must be a {expected}, not {value}",
        "几何类型必须是 {expected}，而不是 {value}",
    ),
    "geometry.position": (
        "a position must be [longitude, latitude] with finite numbers",
        "坐标必须是 [经度, 纬度] 的有限数字",
    ),
    "geometry.range": (
        "longitude {lon}, latitude {lat} is not on Earth (are the two swapped?)",
        "经度 {lon}、纬度 {lat} 超出范围（是否经纬度颠倒？）",
    ),
    "geometry.short": ("there must be at least {least} positions", "至少需要 {least} 个坐标点"),
    "geometry.open": ("a ring must end where it begins", "多边形必须首尾闭合"),
    "geometry.far": (
        "it lies {distance_km} km from the middle of the district; at most {most_km} km are possible",
        "距商圈中心 {distance_km} 公里；最多允许 {most_km} 公里",
    ),
    "zone.crossing": ("the outline crosses or touches itself near {where}", "轮廓在 {where} 附近自相交"),
    "zone.area": ("the zone has no area", "分区面积为零"),
    "zone.usable": (
        "usable_m2 is {usable_m2}, but the outline holds only {area_m2} m²",
        "usable_m2 为 {usable_m2}，但轮廓面积只有 {area_m2} 平方米",
    ),
    "zone.overlap": (
        "it overlaps zone “{other}” (line {other_line}) by {area_m2} m²",
        "与分区“{other}”（第 {other_line} 行）重叠 {area_m2} 平方米",
    ),
    "zone.unknown": ("there is no zone “{zone}”", "没有分区“{zone}”"),
    "gate.between": (
        "“between” must name two different zones, or a zone and “outside”",
        "“between”必须是两个不同的分区，或一个分区和“outside”",
    ),
    "gate.far": (
        "the gate joins nothing: it lies {distance_m} m from zone “{zone}”; at most {most_m} m are allowed",
        "出入口未连接：距分区“{zone}” {distance_m} 米；最多允许 {most_m} 米",
    ),
    "walkway.isolated": (
        "this and {others} more walkways are not joined to the rest of the streets",
        "该步道及另外 {others} 条步道与其余街道不连通",
    ),
    "walkway.loop": ("a walkway must lead from one node to another", "步道的起点与终点不能相同"),
    "walkway.no_length": (
        "the line has no length, so “length_m” must be given",
        "线段长度为零，必须填写“length_m”",
    ),
}


def _showable(value: object) -> object:
    """Texts cut short and without the halves of characters that JSON can hold but UTF-8 cannot."""
    return value[:80].encode("utf-8", "replace").decode() if isinstance(value, str) else value


@dataclass(slots=True)
class Problems:
    """The problems of one document, in the order they were found."""

    found: list[dict[str, object]] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, feature: str | None, error: str, **values: object) -> None:
        """Note a problem of the feature (None: of the document) that begins on the line."""
        self.count += 1
        if self.full:
            return
        en, zh = MESSAGES[error]
        shown = {name: _showable(value) for name, value in values.items()}
        words = {"line": line, "feature": _showable(feature), "error": error}
        self.found.append(words | {"en": en.format(**shown), "zh": zh.format(**shown)})

    @property
    def full(self) -> bool:
        """Whether no more can be listed, so that looking further is of no use."""
        return len(self.found) >= SHOWN_MAX

    def refuse(self) -> None:
        """BadInput with every problem, by line, when there is any."""
        if not self.count:
            return
        found = sorted(self.found, key=lambda problem: str(problem["line"]).zfill(9))
        first = found[0]
        name = f" ({first['feature']})" if first["feature"] else ""
        raise BadInput(
            "place.malformed",
            en=f"The place has {self.count} problem(s). Line {first['line']}{name}: {first['en']}.",
            zh=f"商圈文件有 {self.count} 处问题。第 {first['line']} 行{name}：{first['zh']}。",
            details={"problems": found, "problem_count": self.count},
        )
