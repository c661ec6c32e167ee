"""Every field of the database that can hold words, and what stands in it.

A field that can hold something about a person has a class, a purpose and a retention; every other one says
why it holds nothing of the kind. A test compares this with the tables, so that a new field is decided upon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class PersonalClass(StrEnum):
    """Whose it is."""

    PUBLIC = "public"
    """A member of the public: sealed in the vault, and nowhere else on purpose."""
    STAFF = "staff"
    """Somebody who works here or takes part."""
    POSITION = "position"
    """Where somebody on duty was."""
    WORDS = "words"
    """Free words of somebody on duty, who is told to name nobody."""


@dataclass(frozen=True, slots=True)
class Personal:
    """A personal field: whose, what for, and how long."""

    of: PersonalClass
    purpose: str
    retention: str


_WORDS_OF_DUTY = "3 years after the matter was closed 事项关闭后 3 年"
_OPEN = "while the account is open, and 30 days 账号存续期及其后 30 天"
_CLOSED = "3 years after the account was closed 账号停用后 3 年"
_LOGGED = "3 years after it was written, or had ended 记录或结束后 3 年"


def _duty(purpose: str) -> Personal:
    return Personal(PersonalClass.WORDS, purpose, _WORDS_OF_DUTY)


def _logged(purpose: str) -> Personal:
    return Personal(PersonalClass.WORDS, purpose, _LOGGED)


PERSONAL: Mapping[str, Personal] = MappingProxyType(
    {
        "vault_records.sealed": Personal(
            PersonalClass.PUBLIC,
            "finding somebody, answering a report, reaching a partner 协查、答复、联络",
            "look-outs: closure and 24 h, at most 3 days; photographs and numbers to call back 30 days; "
            "contacts while a partner",
        ),
        "accounts.name": Personal(
            PersonalClass.STAFF,
            "signing in 登录",
            _OPEN,
        ),
        "accounts.display_name": Personal(
            PersonalClass.STAFF,
            "who did what 责任认定",
            _CLOSED,
        ),
        "accounts.password_hash": Personal(PersonalClass.STAFF, "signing in 登录", _OPEN),
        "duties.crew": Personal(PersonalClass.STAFF, "who was on duty 值勤记录", _LOGGED),
        "members.skills": Personal(
            PersonalClass.STAFF,
            "fit for the task 任务匹配",
            _OPEN,
        ),
        "unit_positions.lon": Personal(PersonalClass.POSITION, "who arrives first 就近派警", "7 days 7 天"),
        "unit_positions.lat": Personal(PersonalClass.POSITION, "who arrives first 就近派警", "7 days 7 天"),
        "matters.text": _duty("what was reported 报告内容"),
        "matters.outcome": _duty("how it ended 处置结果"),
        "matter_notes.text": _duty("what was seen 现场记录"),
        "incidents.place_words": _duty("where it is 地点"),
        "incidents.answers": _duty("what was asked 询问答复"),
        "incident_transfers.reason": _duty("why another body is asked 移交理由"),
        "incident_transfers.answer": _duty("what it answered 答复"),
        "assignments.words": _duty("why a unit cannot go, or need not 理由"),
        "commands.reason": _duty("why command was handed over 指挥交接"),
        "messages.text": _logged("messages of the duty team 值勤消息"),
        "messages.report": _logged("M/ETHANE"),
        "roll_call_answers.words": _logged("answers to the roll-call 点名答复"),
        "measures.note": _logged("what was done about the crowd 处置说明"),
        "shifts.people": Personal(
            PersonalClass.STAFF,
            "who was on the desk 值班记录",
            _LOGGED,
        ),
        "push_phones.endpoint": Personal(
            PersonalClass.STAFF,
            "telling a partner's phone 通知合作单位手机",
            "until ended, or gone 至取消为止",
        ),
        "sent_requests.digest": Personal(
            PersonalClass.WORDS, "telling a retry from something else 识别重复提交", "7 days 7 天"
        ),
        "council_meetings.title": _logged("what a meeting is about 会议主题"),
        "council_meetings.agenda": _logged("what a meeting is about 会议议程"),
        "council_motions.text": _logged("what was moved 议案"),
        "council_resolutions.text": _logged("what is to be done 决议"),
        "found_items.words": _logged("to know the owner of lost property by 拾得物品特征"),
        "team_shifts.place": _logged("where a shift is 班次地点"),
        "shifts.note": _logged("what the next shift must know 交接内容"),
        "duty_notes.text": _logged("the duty log 值班日志"),
        "notices.words_zh": _logged("reminders and requests to partners 提醒与请求"),
        "notices.words_en": _logged("reminders and requests to partners 提醒与请求"),
    }
)

_OF_THE_PLACE = "names and shapes of the place, which are public 场所公开信息"
_OF_THE_RULES = "rules of the district, without anybody in them 商圈规则"
_OURS = "words of the product itself 系统用语"

IMPERSONAL: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "districts.name_zh",
                "districts.name_en",
                "districts.credit_zh",
                "districts.credit_en",
                "gates.name_zh",
                "gates.name_en",
                "gates.shape",
                "posts.name_zh",
                "posts.name_en",
                "posts.shape",
                "premises.name_zh",
                "premises.name_en",
                "premises.shape",
                "walkways.shape",
                "zones.name_zh",
                "zones.name_en",
                "zones.shape",
                "zones.thresholds",
                "sensors.name_zh",
                "sensors.name_en",
                "units.name_zh",
                "units.name_en",
                "bodies.name_zh",
                "bodies.name_en",
                "feeds.name",
                "planned_events.name",
                "partners.name_zh",
                "partners.name_en",
                "partners.languages",
                "partners.sees",
            ),
            _OF_THE_PLACE,
        ),
        **dict.fromkeys(
            (
                "incident_categories.content",
                "ladders.content",
                "level_rules.numbers",
                "drills.name_zh",
                "drills.name_en",
                "drills.scenario",
                "drills.score",
                "trained_models.figures",
                "trained_trees.content",
                "accounts.district_ids",
                "roll_calls.unit_ids",
                "shifts.open_items",
                "notice_deliveries.looked",
                "council_meetings.place",
                "council_meetings.attended",
                "council_motions.votes",
                "duty_checks.not_in_order",
                "lookouts.steps",
                "lookouts.vouchers",
            ),
            _OF_THE_RULES,
        ),
        **dict.fromkeys(
            (
                "journal.details_json",
                "matters.subject",
                "matters.params",
                "matter_clocks.because",
                "matter_clocks.params",
                "telemetry_marks.name",
                "sent_requests.path",
            ),
            _OURS,
        ),
    }
)
