"""The action card of each level (`levels.py`): who acts and what to do, in both languages.

Steps are for the duty team and for staff. None asks a volunteer or a guard to search, detain or take
documents.
"""

from __future__ import annotations

from dataclasses import dataclass

from anshang.crowds.model import Level


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; its id names the measure when it is taken."""

    id: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a level asks for."""

    level: Level
    who_en: str
    who_zh: str
    steps: tuple[Step, ...]


CARDS = (
    Card(
        Level.ATTENTION,
        "The kiosk watches",
        "警务室关注",
        (
            Step("watch.zone", "Watch the zone and its gates", "关注该区域及其通道口"),
            Step("patrol.look", "Ask the nearest patrol how it looks", "询问最近巡逻力量现场情况"),
        ),
    ),
    Card(
        Level.CAUTION,
        "Staff go to the zone",
        "工作人员到场",
        (
            Step("staff.to_zone", "Send staff to the zone and its widest gate", "派员到该区域及最宽通道口"),
            Step(
                "signs.on",
                "Turn on signs and announcements towards free streets",
                "开启标识和广播，引导至宽松街道",
            ),
            Step(
                "obstacles.clear", "Clear stalls, queues and vehicles off the way", "清理占道摊位、排队和车辆"
            ),
            Step("shops.told", "Ask shops to pause attractions at the door", "请商户暂停门口引流活动"),
        ),
    ),
    Card(
        Level.ALERT,
        "Inflow is controlled",
        "控制进入",
        (
            Step("inflow.control", "Slow the inflow at the gates", "在通道口放缓进入"),
            Step("one_way", "Make narrow streets one-way", "狭窄街道改为单向通行"),
            Step("waves.release", "Hold and release in waves of about 100", "分批放行，每批约 100 人"),
            Step("transport.told", "Ask the metro to let trains pass without stopping", "商请地铁越站通过"),
            Step("exits.staffed", "Staff every exit and keep it clear", "各出口派人值守并保持畅通"),
        ),
    ),
    Card(
        Level.SERIOUS,
        "All units; nobody enters",
        "全员处置，停止进入",
        (
            Step(
                "inflow.close",
                "Close the inflow; nobody is pushed back into the crowd",
                "关闭入口，不得向人群中回推",
            ),
            Step("exits.open", "Open every exit, also through shops", "打开全部出口，包括穿店通道"),
            Step("all_units", "Call all units and medical aid to the edges", "全部力量和医疗救护到外围集结"),
            Step(
                "music.stop",
                "Stop music and shows; announce calmly which way is free",
                "停止音乐和演出，平稳广播疏散方向",
            ),
            Step("supervisor.told", "Tell the supervisor and the command centre", "报告值班长和指挥中心"),
        ),
    ),
)

STEPS = {step.id: step for card in CARDS for step in card.steps}
