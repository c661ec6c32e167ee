"""What a document from OpenStreetMap left out, and whether it is too large to watch, in words."""

from __future__ import annotations

import math
from typing import Any

from anshang.places.osm.extract import Box

ZONES_MANY = 150
"""More zones than this are more than one desk can watch; the demonstration has 47."""
Words = tuple[str, str]
"""Chinese and English."""


def as_option(box: Box) -> str:
    """The box as `--bbox` takes it, rounded outwards to about a metre."""
    rounded = (math.floor, math.floor, math.ceil, math.ceil)
    return ",".join(f"{up(side * 1e5) / 1e5:.5f}" for up, side in zip(rounded, box, strict=True))


def hints(document: dict[str, Any], *, bbox: Box | None) -> list[Words]:
    """One sentence for each thing to know about an imported document; `bbox` is the box asked for."""
    left_out = document["left_out"]
    zone_count = sum(feature["properties"]["kind"] == "zone" for feature in document["features"])
    sentences = [_cut(left_out, bbox), _unconnected(left_out), _many(zone_count)]
    if document["anshang"]["district"]["country"] is None:
        sentences.append(
            (
                "未指定国家或地区：预测不知道公共假日。用 --country 指定，如 --country CN。",
                "No country: the forecast knows no public holidays. Name it with --country, such as CN.",
            )
        )
    return [words for words in sentences if words]


def _cut(left_out: dict[str, Any], bbox: Box | None) -> Words | None:
    cut = left_out["cut"]
    zh, en = "", ""
    if any(cut[kind] for kind in ("streets", "squares", "premises")):
        of = ("文件自带的范围", "The file's own box") if bbox is None else ("所选范围", "The box")
        zh = f"{of[0]} {as_option(left_out['box'])} 截断或舍去了 {cut['streets']} 条街道、" + (
            f"{cut['squares']} 个广场和 {cut['premises']} 处场所。"
        )
        en = f"{of[1]} {as_option(left_out['box'])} cuts or leaves out {cut['streets']} streets, " + (
            f"{cut['squares']} squares and {cut['premises']} premises."
        )
        if bbox is None and left_out["extent"]:
            whole = as_option(left_out["extent"])
            zh += f"要读入全部街道：--bbox {whole}。"
            en += f" To read all streets: --bbox {whole}."
    if cut["incomplete"]:
        zh += f"{cut['incomplete']} 条街道在文件中缺少部分节点，只读入现有部分。"
        en += (
            f" {cut['incomplete']} streets lack points in the file; only the parts that are there were read."
        )
    return (zh, en.strip()) if zh else None


def _unconnected(left_out: dict[str, Any]) -> Words | None:
    if not left_out["walkways"]:
        return None
    pieces, length_m = left_out["street_pieces"], left_out["length_m"]
    return (
        f"舍去 {pieces} 片与主路网不相连的步行路（共 {length_m} 米）。",
        f"{pieces} pieces of walking network that do not connect to the rest were left out ({length_m} m).",
    )


def _many(zone_count: int) -> Words | None:
    if zone_count <= ZONES_MANY:
        return None
    return (
        f"共 {zone_count} 个区域，一个指挥席看不过来。用 --bbox 西,南,东,北 只取要管理的街道；"
        "边界不是矩形时，先用 osmium extract --polygon 边界.geojson 裁剪。",
        f"{zone_count} zones are more than one desk can watch. Take only the streets you manage with "
        "--bbox west,south,east,north; for a boundary that is no rectangle, first cut the file with "
        "“osmium extract --polygon boundary.geojson”.",
    )
