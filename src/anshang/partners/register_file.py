"""The register of partners as a CSV file: judged as a whole, so that a bad line keeps all of it out."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass

from anshang.foundation.errors import BadInput
from anshang.foundation.ids import CODE_PATTERN
from anshang.foundation.lines import is_name
from anshang.partners.model import HOUR_PATTERN, LANGUAGE_PATTERN, Side, Sight
from anshang.people.model import NAME_PATTERN

_HOUR = f"({HOUR_PATTERN})?"
_OR_NONE = f"({CODE_PATTERN})?"
FORMS = {
    "id": CODE_PATTERN,
    "name_zh": ".{1,80}",
    "name_en": ".{1,80}",
    "side": f"({'|'.join(Side)})?",
    "premises_id": _OR_NONE,
    "group_id": _OR_NONE,
    "opens": _HOUR,
    "closes": _HOUR,
    "languages": rf"({LANGUAGE_PATTERN}( +|$))*",
    "sees": rf"(({'|'.join(Sight)})( +|$))*",
    "sign_in": rf"({NAME_PATTERN})?",
}
COLUMNS = tuple(FORMS)
NAMES = ("name_zh", "name_en")
NEEDED = ("id", *NAMES)
ROWS_MAX = 10_000
PROBLEMS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Line:
    """A partner as the file says it, and the sign-in name of an account to open for it."""

    id: str
    name_zh: str
    name_en: str
    side: Side
    premises_id: str | None
    group_id: str
    opens: str
    closes: str
    languages: tuple[str, ...]
    sees: tuple[str, ...]
    sign_in: str


def read_register(content: bytes) -> list[Line]:
    """The lines of a register (UTF-8, a header of COLUMNS); BadInput names every bad line, at most twenty."""
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad([_problem(0, f"not CSV in UTF-8: {error}", "不是 UTF-8 编码的 CSV 文件")]) from None
    told = set(rows[0]) if rows else set()
    unknown = {str(name) for name in told} - set(COLUMNS)
    if not rows or len(rows) > ROWS_MAX or unknown or not set(NEEDED) <= told:
        en = f"1 to {ROWS_MAX} lines with the columns {', '.join(COLUMNS)}"
        zh = f"须有 1 至 {ROWS_MAX} 行，列名为 {', '.join(COLUMNS)}"
        raise _bad([_problem(1, en, zh)])
    problems: list[dict[str, object]] = []
    lines, seen = [], set[str]()
    for number, row in enumerate(rows, 2):
        cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
        wrong = [name for name in COLUMNS if not re.fullmatch(FORMS[name], cells[name])]
        wrong += [name for name in NAMES if name not in wrong and not is_name(cells[name])]
        wrong += ["id"] if cells["id"] in seen else []
        seen.add(cells["id"])
        if wrong or None in row:
            told_as = ", ".join(wrong) or "too many cells"
            problems.append(_problem(number, f"look at: {told_as}", f"请检查：{told_as}"))
        else:
            lines.append(_line(cells))
    if problems:
        raise _bad(problems)
    return lines


def check_premises(lines: list[Line], premises_ids: Collection[str]) -> None:
    """BadInput naming every line whose premises the district does not have."""
    problems = [
        _problem(number, f"no premises {line.premises_id}", f"没有场所 {line.premises_id}")
        for number, line in enumerate(lines, 2)
        if line.premises_id is not None and line.premises_id not in premises_ids
    ]
    if problems:
        raise _bad(problems)


def _line(cells: dict[str, str]) -> Line:
    return Line(
        id=cells["id"],
        name_zh=cells["name_zh"],
        name_en=cells["name_en"],
        side=Side(cells["side"] or "shop"),
        premises_id=cells["premises_id"] or None,
        group_id=cells["group_id"],
        opens=cells["opens"],
        closes=cells["closes"],
        languages=tuple(sorted(set(cells["languages"].split()))) or ("zh",),
        sees=tuple(sorted(set(cells["sees"].split()))),
        sign_in=cells["sign_in"],
    )


def _problem(line: int, en: str, zh: str) -> dict[str, object]:
    return {"line": line, "en": en, "zh": zh}


def _bad(problems: list[dict[str, object]]) -> BadInput:
    return BadInput(
        "register.bad_lines",
        en=f"Nothing was taken: {len(problems)} bad lines.",
        zh=f"未导入任何内容：{len(problems)} 行有误。",
        details={"problems": problems[:PROBLEMS_SHOWN]},
    )
