"""Plausible answers to any form, from its schema alone: for the demonstration's backlog, tests and benches."""

import random
from datetime import datetime, timedelta

# What people write, by the field's key; a field not named here gets one of OTHER.
TEXTS = {
    "situation": [
        "走访时发现老人独居，子女在外务工，近一个月腿脚不便，买菜做饭困难。",
        "孩子由祖父母照料，父母在南方打工，半年未回；成绩下滑，不愿与人说话。",
        "家中主要劳力患病住院，收入中断，欠外债，情绪低落。",
        "老人多次走失，邻居帮忙找回；家属希望得到看护和防走失的帮助。",
        "因宅基地边界与邻居长期不和，多次上访，希望有人居中调解。",
    ],
    "intakeSummary": ["经面谈，对象愿意接受服务，主要需求清楚，属本站服务范围。", "入户核实情况属实，家属配合，予以接案。"],
    "assessmentSummary": [
        "生活照料与精神慰藉需求突出，家庭支持弱，村内可用资源较多。",
        "经济困难为主要问题，伴有情绪低落，需链接救助政策并持续陪伴。",
        "监护缺失导致学业与情绪问题，需改善照护安排并与学校配合。",
    ],
    "riskReasons": ["独居、行动不便，曾跌倒一次，夜间无人照看。", "家属曾报告对象有轻生言语，须两人同行并每周走访。"],
    "strengths": ["邻里关系好，村委支持，有一名近亲可定期探望。", "本人愿意改变，学校老师关心，志愿者就近。"],
    "planNote": ["社工主责，助理员每周探访，志愿者协助打扫与陪伴。", "联系救助站申请临时救助，链接爱心企业助学。"],
    "content": [
        "入户探访，协助整理房间，了解近况，情绪较上次好转。",
        "陪同到镇卫生院复查，取药并说明服用方法。",
        "与孩子谈心，辅导作业，并与班主任通电话了解在校情况。",
        "组织志愿者上门理发、打扫，和老人聊家常。",
    ],
    "evaluationSummary": ["主要目标基本达成，生活状况改善，对象和家属满意。", "情绪稳定，社会支持增加，仍需关注用药。"],
    "closeSummary": ["目标达成，对象同意结案，已说明今后求助途径。", "服务目标完成，转入日常巡访。"],
    "followUpNote": ["电话回访，生活稳定，无新的困难。", "入户回访，状况良好，邻居经常照应。"],
    "crisisActions": ["接报后立即到场，安抚情绪，联系家属，通知村医并报告站长，现场已安全。"],
    "countyResources": ["已协调卫健部门和镇街救助站到场，安排两名社工轮流陪护。"],
    "responseNote": ["已电话联系本人，说明来意，约定入户时间。", "入户见到本人和家属，情况属实，约定下次面谈。"],
    "backfillReason": ["因情况紧急先行处置，现按规定补录接案与预估。"],
    "outOfScopeReason": ["所诉事项属其他部门职责，已说明去向并协助转办。"],
    "referredTo": ["镇人民调解委员会"],
    "referralTo": ["县综合福利中心"],
    "referralReceipt": ["回执已收"],
    "opinion": ["目标需再具体，请补充衡量方法。"],
    "dispatchTo": ["本站专职社工"],
    "dispatchNote": ["请今日内联系服务对象。"],
    "remindNote": ["已提醒主责社工尽快办理。"],
    "reviewNote": ["服务按计划进行，继续。"],
    "goal": ["改善日常照料", "稳定情绪，恢复社交", "落实救助政策", "改善监护和学业"],
    "indicator": ["每周有人探访", "情绪自评分", "救助金到账", "按时到校天数"],
    "target": ["每周不少于 1 次", "由 4 分升到 7 分", "一个月内", "每月缺勤不超过 1 天"],
    "guardianName": ["王秀英", "李桂兰"],
    "statutoryGround": ["《社会救助暂行办法》及本县探访制度"],
    "place": ["服务对象家中", "村社工室"],
    "externalNo": ["12345-2026-001872"],
    "reportReceipt": ["已登记"],
}
OTHER = ["情况属实，已当面核实。", "已按要求办理。", "无其他需要说明的事项。"]
NUMBERS = {"score": 8, "minutes": 60}
# Choices that a person would rather make than the first one.
CHOICES = {
    "urgency": "normal",
    "basis": "statutory",
    "channel": "visit",
    "inScope": "yes",
    "risk": "medium",
    "approved": "yes",
    "crisisApproved": "yes",
    "moreNeeded": "no",
    "evaluationResult": "achieved",
    "closeReason": "achieved",
    "followUpStop": "no",
    "safeNow": "yes",
    "reviewResult": "continue",
    "remindAction": "urge",
}


def answer(schema: dict, wishes: dict | None = None, now: datetime | None = None, draw: random.Random | None = None) -> dict:
    """Plain JSON that fills every field of a form-js schema; `wishes` (by key) go first, a wish of None leaves its field out.

    `now`: aware, the moment of writing, in the zone people think in; dates of plans lie after it, of services before.
    Fields that a condition hides are filled too: the server drops them.
    """
    writer = _Writer(wishes or {}, now or datetime(2026, 11, 24, 10).astimezone(), draw or random.Random(0))
    return writer.fill(schema.get("components", []))


class _Writer:
    def __init__(self, wishes: dict, now: datetime, draw: random.Random):
        self.wishes, self.now, self.draw = wishes, now, draw

    def fill(self, components: list[dict]) -> dict:
        found: dict = {}
        for field in components:
            key, kind = field.get("key"), field.get("type")
            if kind == "group":
                inner = self.fill(field.get("components", []))
                found |= {field["path"]: inner} if field.get("path") else inner
            elif kind == "dynamiclist":
                name = field.get("path") or field["id"]
                if name in self.wishes or not field.get("readonly"):
                    found[name] = self.wishes.get(name, [self.fill(field.get("components", []))])
            elif key in self.wishes:
                if self.wishes[key] is not None:
                    found[key] = self.wishes[key]
            elif key and not field.get("readonly") and not field.get("disabled") and hasattr(self, f"_{kind}"):
                found[key] = getattr(self, f"_{kind}")(field)
        return _nested(found)

    def _textfield(self, field: dict) -> str:
        longest = int((field.get("validate") or {}).get("maxLength") or 200)
        return self.draw.choice(TEXTS.get(field["key"].rsplit(".", 1)[-1], OTHER))[:longest]

    _textarea = _textfield

    def _number(self, field: dict) -> int:
        rules = field.get("validate") or {}
        low, high = int(rules.get("min") or 0), int(rules.get("max") or 100)
        return max(low, min(NUMBERS.get(field["key"], (low + high) // 2), high))

    def _checkbox(self, field: dict) -> bool:
        return field["key"] != "crisis"

    def _datetime(self, field: dict) -> str:
        if field.get("subtype") == "time":
            return f"{self.now:%H:%M}"
        if field.get("subtype") == "datetime":
            return f"{self.now - timedelta(minutes=self.draw.randint(5, 50)):%Y-%m-%dT%H:%M}"
        days = {"dueOn": 60, "planEnd": 80}.get(field["key"], 0)
        return (self.now.date() + timedelta(days=days)).isoformat()

    def _radio(self, field: dict):
        values = [option["value"] for option in field.get("values", [])]
        wanted = CHOICES.get(field["key"])
        return wanted if wanted in values else values[0] if values else None

    _select = _radio

    def _checklist(self, field: dict) -> list:
        values = [option["value"] for option in field.get("values", [])]
        if field["key"] == "dangers":  # as rare as a crisis
            return []
        return sorted(self.draw.sample(values, min(len(values), self.draw.randint(1, 2))), key=values.index)

    _taglist = _checklist


def _nested(flat: dict) -> dict:
    """Keys with dots (`address.street`) are paths."""
    whole: dict = {}
    for key, value in flat.items():
        *path, last = key.split(".")
        node = whole
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return whole
