"""A back-test as report.html and report.pdf, in both languages: figures, pictures, definitions."""

from __future__ import annotations

import html
import math
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from anshang.crowds.backtest import OURS
from anshang.crowds.backtest_pictures import chinese_font, pictures
from anshang.crowds.backtesting import Tried
from anshang.crowds.count_table import CountTable
from anshang.crowds.judging import Alarm, Score
from anshang.foundation.errors import StorageFailed

TITLE = ("Crowd forecast, tried on recorded counts", "客流预测回测")
ROWS_A_PAGE = 28
COVER_WITHIN, BUDGET_TIMES = 0.03, 1.5
"""An interval holds within three points; so many times the budget are borne on days nobody chose on."""
IN_MINUTES = ("horizon_s", "lead_s", "median_lead_s")
STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;max-width:62rem;margin:2rem auto}
body{padding:0 1rem;color:#1d242b}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%;margin:.5rem 0 1.5rem}
td,th{padding:.15rem .5rem;border-bottom:1px solid #d5dbe1;text-align:right}
td:nth-child(1),th:nth-child(1){text-align:left}
tr.ours{font-weight:600;background:#eaf2fb}
svg{width:100%;height:auto}
@media (prefers-color-scheme:dark){body{background:#12171c;color:#dfe5ea}tr.ours{background:#1b2b3d}
td,th{border-color:#333c45}svg{background:#fff}}
"""
DEFINITIONS = (
    ("MAE: mean absolute error in people a step.", "MAE：每步平均绝对误差（人）。"),
    ("MASE: MAE over the error of the count a week before.", "MASE：与“上周同时刻”误差之比。"),
    ("WQL: mean pinball loss at .1 … .9 over all people counted.", "WQL：0.1–0.9 分位平均损失与总人数之比。"),
    ("Cover: share of counts inside the 80 % or 95 % interval.", "覆盖率：落入 80 % 或 95 % 区间的比例。"),
    ("Irregular: holidays, events, the busiest 2 % of days.", "异常日：节假日、活动日及最繁忙的 2 % 日子。"),
    ("An onset is warned of when a warning stood for it in time.", "提前量之前已有预警即为命中。"),
    ("A warning is false when nothing came within two hours.", "预警时段前后两小时内未发生即为误报。"),
    ("Runs less than three hours apart are one episode.", "间隔不足三小时的合为一次。"),
    (
        "The chance to warn at is chosen on what came before: .05 false episodes a sensor-day at most.",
        "预警概率阈值只用此前数据选定：每传感器每天误报不超过 0.05 次。",
    ),
)


def write(tried: Tried, table: CountTable, folder: Path, locations: Path | None = None) -> None:
    """Write both files; StorageFailed when the folder cannot be written."""
    with mpl.rc_context({"font.family": [*chinese_font(), "DejaVu Sans"], "svg.fonttype": "path"}):
        drawn = list(pictures(tried, table, locations))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "report.html").write_text(_html(tried, table, drawn), encoding="utf-8")
            _pdf(tried, table, drawn, folder / "report.pdf")
        except OSError as error:
            raise StorageFailed(
                "report.unwritable",
                en=f"Cannot write {folder}: {error.strerror}.",
                zh=f"无法写入 {folder}：{error.strerror}。",
            ) from None


def _facts(tried: Tried, table: CountTable) -> list[str]:
    report = tried.report
    notes = [f"{note}: {count:,}" for note, count in {**tried.notes, **report.left_out}.items()]
    return [
        f"{report.sensors} sensors 传感器 · {report.step_s / 60:g} min",
        f"{table.gap_share:.1%} not counted 缺测",
        f"test from 测试起始 {tried.test_from} · {report.origins:,} origins 起点,"
        f" every {report.stride} steps",
        *notes,
        *_held(tried),
        *(
            f"{each.method}, {each.horizon_s / 60:g} min, sample of {each.n}: "
            f"WQL {each.wql:.4f}, ours {each.wql_ours:.4f}"
            for each in tried.samples
        ),
    ]


def _held(tried: Tried) -> list[str]:
    """What of ours held that was promised, on days that served to choose nothing."""
    words = {True: "held 达标", False: "not held 未达标"}
    lines = []
    for one in tried.report.scores:
        if one.method == OURS:
            mark = words[abs(one.cover80 - 0.8) <= COVER_WITHIN]
            days = {"all": "all days 全部日期", "irregular": "irregular days 异常日"}[one.days]
            lines.append(f"80 % interval 区间, {days}, {one.horizon_s / 60:g} min: {one.cover80:.1%}: {mark}")
    for each in tried.report.alarms:
        if each.method == OURS and not math.isnan(each.times_budget):
            mark = words[each.times_budget <= BUDGET_TIMES]
            lines.append(
                f"false episodes 误报, {each.lead_s / 60:g} min: "
                f"{each.times_budget:.2f} × the budget 预算: {mark}"
            )
    return lines


def _cells(row: Score | Alarm) -> list[str]:
    return [_cell(field.name, getattr(row, field.name)) for field in fields(row)]


def _cell(name: str, value: Any) -> str:
    if name in IN_MINUTES and not math.isnan(value):
        return f"{value / 60:g} min"
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _title(name: str) -> str:
    """A field's name as a heading: seconds are told in minutes."""
    return name.removesuffix("_s").replace("_", " ") if name in IN_MINUTES else name.replace("_", " ")


def _sorted(tried: Tried) -> tuple[list[Score], list[Alarm]]:
    scores = sorted(tried.report.scores, key=lambda each: (each.days, each.horizon_s, each.wql))
    return scores, sorted(tried.report.alarms, key=lambda each: (each.lead_s, -each.average_precision))


def _html(tried: Tried, table: CountTable, drawn: list[tuple[str, str, Figure]]) -> str:
    scores, alarms = _sorted(tried)
    parts = [f"<h1>{TITLE[0]} <span lang=zh>{TITLE[1]}</span></h1>", _list(_facts(tried, table))]
    parts += ["<h2>Errors <span lang=zh>误差</span></h2>", _table(scores)]
    parts += ["<h2>Warnings <span lang=zh>预警</span></h2>", _table(alarms)]
    for english, chinese, figure in drawn:
        picture = StringIO()
        figure.savefig(picture, format="svg", metadata={"Date": None})
        svg = picture.getvalue()
        parts += [f"<h2>{english} <span lang=zh>{chinese}</span></h2>", svg[svg.index("<svg") :]]
    parts += [
        "<h2>Definitions <span lang=zh>定义</span></h2>",
        _list([f"{en} {zh}" for en, zh in DEFINITIONS]),
    ]
    head = f"<meta charset=utf-8><title>{' '.join(TITLE)}</title><style>{STYLE}</style>"
    view = "<meta name=viewport content='width=device-width'>"
    return f"<!doctype html><html lang=en><head>{head}{view}</head><body>{''.join(parts)}</body></html>"


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>"


def _table(rows: list[Score] | list[Alarm]) -> str:
    if not rows:
        return "<p>–</p>"
    head = "".join(f"<th>{_title(field.name)}</th>" for field in fields(rows[0]))
    body = "".join(
        f"<tr{' class=ours' if row.method == 'anshang' else ''}>"
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in _cells(row))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _pdf(tried: Tried, table: CountTable, drawn: list[tuple[str, str, Figure]], path: Path) -> None:
    with PdfPages(path, metadata={"Title": TITLE[0], "CreationDate": None}) as pages:
        lines = [*_facts(tried, table), "", *(f"{en}" for en, _ in DEFINITIONS)]
        pages.savefig(_text_page(" · ".join(TITLE if chinese_font() else TITLE[:1]), lines))
        for rows in _sorted(tried):
            for begin in range(0, len(rows), ROWS_A_PAGE):
                pages.savefig(_table_page(rows[begin : begin + ROWS_A_PAGE]))
        for english, chinese, figure in drawn:
            figure.suptitle(f"{english} {chinese}" if chinese_font() else english)
            pages.savefig(figure)


def _text_page(title: str, lines: list[str]) -> Figure:
    figure = Figure(figsize=(11, 7))
    figure.text(0.05, 0.93, title, size=16)
    figure.text(0.05, 0.88, "\n".join(lines), size=9, va="top", wrap=True)
    return figure


def _table_page(rows: list[Any]) -> Figure:
    figure = Figure(figsize=(11, 7), layout="constrained")
    axes = figure.subplots()
    axes.axis("off")
    names = [field.name.replace("_per_", " /\n").replace("_", "\n") for field in fields(rows[0])]
    drawn = axes.table([_cells(row) for row in rows], colLabels=names, loc="upper center", cellLoc="right")
    drawn.auto_set_font_size(False)
    drawn.set_fontsize(7)
    drawn.auto_set_column_width(list(range(len(names))))
    for column in range(len(names)):
        drawn[0, column].set_height(3 * drawn[0, column].get_height())
    return figure
