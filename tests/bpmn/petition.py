"""Drives `petition_mediation` as people would: forms, regulations, parties; stored and restored after every step. `ANSWERS` is the regular
path: what a test changes, it says."""

import itertools
import json
from typing import Any

from engine import parties, regulations
from engine.bundle import read_bundle
from engine.commands.installation import bundles_of
from engine.regulations import Tables, Verdict
from tests.bpmn.harness import Driver
from tests.bpmn.service import CALENDAR, SOURCES, Service, host_names

FILES = dict(bundles_of(SOURCES))["petition_mediation"]
BUNDLE = read_bundle(FILES)
CALM = {"escalation": "no", "minorHarm": "no"}
PETITIONER = {"role": "petitioner", "name": "张三", "minor": "no", "phone": "13800000001", "address": "张庄村 1 号"}
RESPONDENT = {"role": "respondent", "name": "李四", "minor": "no", "phone": "13800000002", "address": "张庄村 2 号"}
GOAL = {"goal": "就边界达成一致", "indicator": "书面协议", "target": "1 份", "dueOn": "2026-04-01"}
# By form.
ANSWERS: dict[str, dict[str, Any]] = {
    "petition_register": {
        "form": "visit",
        "type": "claim",
        "receivedOn": "2026-03-02",
        "claim": "宅基地边界争议，要求确认",
        "repeated": "no",
        "reps": 0,
        "parties": [PETITIONER, RESPONDENT],
        "basis": "statutory",
        "statutoryGround": "信访工作条例第十五条",
    }
    | CALM,
    "petition_refer": {"referredTo": "县纪委监委", "referredOn": "2026-03-03", "referredBy": "paper", "petitionerToldOn": "2026-03-03"},
    "petition_receipt": {"receiptNo": "收 2026-8", "receiptOn": "2026-03-10"},
    "petition_hand_over": {"organ": "县自然资源局", "handedOn": "2026-03-03", "petitionerToldOn": "2026-03-03"},
    "petition_acceptance": {"acceptance": "accepted", "acceptedOn": "2026-03-10", "acceptanceNo": "受 2026-1"},
    "petition_disposal": {
        "extend": "no",
        "disposalOn": "2026-04-20",
        "disposalNo": "处 2026-1",
        "disposalResult": "partly",
        "disposalText": "边界以确权登记为准",
        "deliveredOn": "2026-04-21",
    },
    "petition_extension": {
        "extensionReason": "需要重新测绘",
        "extensionDays": 30,
        "extensionApprovedBy": "王局长",
        "extensionApprovedOn": "2026-05-06",
        "extensionToldOn": "2026-05-06",
        "extensionToldBy": "written",
    },
    "petition_appeal_request": {"appealRequested": "no"},
    "petition_appeal_answer": {
        "appealAnsweredOn": "2026-05-20",
        "appealAnswerNo": "复 2026-1",
        "appealResult": "upheld",
        "appealText": "维持",
    },
    "petition_visit": {
        "visit": {
            "visitedAt": "2026-03-03T10:00+08:00",
            "place": "家中",
            "companions": ["petition"],
            "findings": "两家共用院墙",
            "demands": "按老地契",
            "mood": "calm",
            "initialWill": "willing",
            "hardship": "no",
        }
    }
    | CALM,
    "petition_assessment": {
        "disputeFocus": "院墙归属",
        "causes": ["neighbour"],
        "assessmentSummary": "适合调解",
        "risk": "low",
        "hardship": "no",
    }
    | CALM,
    "petition_plan": {
        "goals": [GOAL],
        "measures": ["mediation"],
        "planStart": "2026-03-10",
        "planEnd": "2026-04-10",
        "clientSigned": True,
        "workerSigned": True,
    }
    | CALM,
    "petition_plan_approval": {"approved": "yes"},
    "petition_willingness": {"consent": {"agree": "yes", "askedOn": "2026-03-12", "askedBy": "face", "signed": True}},
    "petition_mediation": {
        "mediatedAt": "2026-03-16T09:00+08:00",
        "mediationPlace": "镇调解室",
        "mediators": "马调解",
        "bothConsent": True,
        "transcript": "双方陈述，达成一致",
        "result": "written",
    }
    | CALM,
    "petition_agreement": {
        "agreementText": "院墙各半，四月底前拆除",
        "fulfilBy": "2026-04-30",
        "partiesSigned": True,
        "mediatorSigned": True,
        "effectiveOn": "2026-03-16",
    },
    "petition_confirmation": {"confirmation": "no"},
    "petition_governance": {"governance": ["explain"], "governanceText": "宣讲宅基地政策", "partners": "村委会"} | CALM,
    "petition_companion": {"companionAt": "2026-03-20T09:00+08:00", "companionKind": ["visit"], "companionNote": "聊家常"} | CALM,
    "petition_evaluation": {"score": 8, "evaluationSummary": "已化解", "closeReason": "settled", "followUpAgreed": True},
    "petition_closing_approval": {"approved": "yes"},
    "petition_revisit": {
        "revisitOn": "2026-05-01",
        "followUpMethod": "home",
        "fulfilled": "done",
        "satisfied": "yes",
        "relapse": "no",
        "revisitNote": "和睦",
    }
    | CALM,
    "petition_relapse": {"relapseAction": "watch", "relapseNote": "每周走访"},
    "petition_incident": {"incidentAt": "2026-03-05T09:00+08:00", "incidentText": "扬言动手"} | CALM,
    "petition_police": {
        "policeReportedAt": "2026-03-05T09:10+08:00",
        "policeUnit": "镇派出所",
        "policeMeasures": "劝离双方",
        "stepsGoOn": "careful",
    },
    "petition_police_noted": {"leadKnewAt": "2026-03-05T09:20+08:00", "leadArrangements": "两人同行"},
    "petition_minor_report": {
        "signs": ["wounds"],
        "guardianSuspect": "yes",
        "reportTo": ["police", "civil"],
        "reportedAt": "2026-03-05T09:10+08:00",
        "minorMeasures": "送医，安排临时照护",
    },
    "petition_minor_noted": {"writtenReportAt": "2026-03-05T15:00+08:00", "leadProtection": "未保站跟进"},
    "petition_reminder": {"remindAction": "urge", "remindNote": "已催办"},
}


class Petition(Service):
    """One case. `answer` completes the oldest task of an element with its form, checked by the regulations."""

    def __init__(self, **registered):
        self.tables = Tables.load(SOURCES / "regulations")
        self.verdicts: list[Verdict] = []
        self.stages: list[str] = []
        self.authors: dict[str, list[str]] = {}
        self.numbers = itertools.count(1)
        names = host_names() | {"case": {"id": "1", "number": "20260302-AAAAAA", "place": "room-001"}}
        Driver.__init__(self, BUNDLE.processes[0], names=names, decide=self._decide, zone=CALENDAR.zone)
        self.answer("register", **registered)

    def _decide(self, decision: str, context: dict):
        return BUNDLE.decisions[decision].decide(context, clock=self.clock)

    def answer(self, element: str, **changed) -> "Petition":
        """Complete the oldest task of an element with the regular answers, some of them changed; None leaves a field out."""
        wait = self.wait(element)
        form = BUNDLE.forms[wait.element.form_id]
        given = _without_nothing(_merged(ANSWERS[form.id], changed))
        variables = self.case.visible(wait.token)
        shown = _without_nothing(json.loads(json.dumps(form.data(variables, self.clock))))
        data = form.read(shown | given, variables, self.clock)
        data = parties.stamp(form, data, variables, lambda: str(next(self.numbers)))
        self._regulated(wait.element, data)
        self.case.complete(wait.token, data, self.env)
        self._store()
        return self

    def _regulated(self, element, data) -> None:
        """As the commands do; tasks without a stage belong to none."""
        if element.properties.get("stage"):
            super()._regulated(element, data)
            assert regulations.blocking(self.verdicts) == [], [verdict.rule for verdict in regulations.blocking(self.verdicts)]


def _merged(answers: dict, changed: dict) -> dict:
    """`changed` over `answers`, contexts one by one."""
    merged = dict(answers)
    for key, value in changed.items():
        inner = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = merged[key] | value if inner else value
    return merged


def _without_nothing(data: dict) -> dict:
    """Without what nobody filled in."""
    kept = {key: _without_nothing(value) if isinstance(value, dict) else value for key, value in data.items()}
    return {key: value for key, value in kept.items() if value not in (None, "", {})}
