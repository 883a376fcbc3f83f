"""Drives `service_delivery` as people would: forms filled in as plain JSON, checked by the form, by the right kind of person, under the
regulations, the case stored and restored after every step. `ANSWERS` is the regular path: what a test changes, it says."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import yaml

from engine import calendar, feel, regulations
from engine.bundle import read_bundle
from engine.calendar import Calendar, chinese_years
from engine.commands.installation import bundles_of
from engine.regulations import Tables, Verdict
from tests.bpmn.harness import Driver
from tests.support.databases import ROOT

SOURCES = ROOT / "bpmn"
FILES = dict(bundles_of(SOURCES))["service_delivery"]
BUNDLE = read_bundle(FILES)
PARAMETERS = {entry["key"]: entry for entry in yaml.safe_load((SOURCES / "parameters.yaml").read_text(encoding="utf-8"))}
CALENDAR = Calendar(years=chinese_years())

GOAL = {"goal": "按时吃上热饭", "indicator": "每日热饭次数", "target": "2 次", "dueOn": "2026-06-01"}
ANSWERS: dict[str, dict[str, Any]] = {
    "visit": {
        "clientName": "张三",
        "birthDate": "1980-05-01",
        "categories": ["minimum_living"],
        "channel": "visit",
        "situation": "独居,生活困难",
        "urgency": "normal",
        "basis": "consent",
        "consentSigned": True,
    },
    "first_response": {"respondedAt": "2026-03-02T10:00+08:00", "responseMethod": "phone", "responseNote": "约好上门"},
    "dispatch": {"dispatchTo": "王社工", "dispatchNote": "请立即联系"},
    "intake": {"inScope": "yes", "needs": ["economic", "care"], "intakeSummary": "需要照料支持"},
    "consent": {"consentScope": ["health"], "sensitiveConsent": True, "consentOn": "2026-03-02"},
    "assessment": {"risk": "low", "assessmentSummary": "可在家中得到支持"},
    "crisis": {
        "crisisType": "unattended",
        "actedAt": "2026-03-02T09:30+08:00",
        "reportedTo": ["lead"],
        "crisisActions": "送医并安排照料",
        "safeNow": "yes",
    },
    "crisis_approval": {"crisisApproved": "yes"},
    "county_crisis": {"countyKnownAt": "2026-03-02T10:00+08:00", "countyResources": "协调养老护理员"},
    "backfill": {
        "sensitiveConsent": True,
        "needs": ["care"],
        "risk": "high",
        "intakeSummary": "无人照料",
        "assessmentSummary": "需要每周上门",
        "backfillReason": "先行处置",
    },
    "plan": {
        "goals": [GOAL],
        "serviceMethods": ["casework"],
        "planStart": "2026-03-03",
        "planEnd": "2026-06-01",
        "clientSigned": True,
        "workerSigned": True,
    },
    "approval": {"approved": "yes"},
    "record": {"occurredAt": "2026-03-02T09:00+08:00", "method": "home", "minutes": 60, "content": "陪同就医", "moreNeeded": "no"},
    "review": {"reviewResult": "continue", "reviewNote": "进展正常"},
    "evaluation": {"score": 8, "evaluationSummary": "目标达成", "evaluationResult": "achieved"},
    "closing": {"closeReason": "achieved", "closeSummary": "服务完成", "followUpAgreed": True},
    "closing_approval": {"approved": "yes"},
    "followup": {
        "followUpOn": "2026-04-02",
        "followUpMethod": "phone",
        "followUpCondition": "stable",
        "followUpNote": "稳定",
        "followUpStop": "no",
    },
    "reminder": {"remindAction": "urge", "remindNote": "已催办"},
}
# Who does a task: the first of its groups. Person ids are the groups' names.
ROLES = {"lead": ["lead"], "supervisor": ["supervisor"]}


class Service(Driver):
    """One case of the procedure. `answer` completes a task with its form; `verdicts` are all the regulations have said."""

    def __init__(self, **visit):
        self.tables = Tables.load(SOURCES / "regulations")
        self.verdicts: list[Verdict] = []
        self.stages: list[str] = []
        self.authors: dict[str, list[str]] = {}
        super().__init__(BUNDLE.processes[0], names=host_names(), decide=self._decide, zone=CALENDAR.zone)
        self.answer("visit", **visit)

    def _decide(self, decision: str, context: dict):
        return decide_at(self.env.now)(decision, context)

    def answer(self, element: str, **changed) -> "Service":
        """Complete the oldest task of an element with the regular answers, some of them changed; None leaves a field out."""
        wait = self.wait(element)
        form = BUNDLE.forms[wait.element.form_id]
        given = {key: value for key, value in (ANSWERS[form.id] | changed).items() if value is not None}
        variables = self.case.visible(wait.token)
        # As a person finds it: the form filled with what is known, then changed. What a form hides is not submitted.
        shown = json.loads(json.dumps(form.data(variables, self.clock)))
        data = form.read({key: value for key, value in (shown | given).items() if value not in (None, "")}, variables, self.clock)
        self._regulated(wait.element, data)
        self.case.complete(wait.token, data, self.env)
        self._store()
        return self

    def through(self, *elements: str) -> "Service":
        """Complete these, one after the other, with the regular answers."""
        for element in elements:
            self.answer(element)
        return self

    def wait(self, element: str):
        """The oldest open task of an element."""
        return next(wait for wait in self.case.waits() if wait.element.id == element)

    def timer(self, element: str):
        """The next timer of an element."""
        return next(timer for timer in self.case.timers() if timer.element.id == element)

    def due(self, element: str) -> str:
        """When a task or timer is due, in the county's time, to the minute."""
        waits = [wait for wait in self.case.waits() if wait.element.id == element]
        at = waits[0].due if waits else self.timer(element).due
        return f"{at.astimezone(CALENDAR.zone):%Y-%m-%d %H:%M}"

    def at(self, text: str) -> "Service":
        """Move the clock to a time in the county."""
        self.env = replace(self.env, now=datetime.fromisoformat(text).replace(tzinfo=CALENDAR.zone))
        return self

    def later(self, **delta) -> "Service":
        self.env = replace(self.env, now=self.env.now + timedelta(**delta))
        return self

    @property
    def clock(self) -> datetime:
        """Now, in the county's zone."""
        return self.env.now.astimezone(CALENDAR.zone)

    @property
    def blocked(self) -> list[str]:
        """Rules that stopped somebody so far."""
        return [verdict.rule for verdict in regulations.blocking(self.verdicts)]

    def _regulated(self, element, data) -> None:
        """Ask the regulations as the commands do, and note who did what."""
        tags = [tag for tag in element.properties.get("tags", "").split(",") if tag]
        who = self.wait(element.id).candidate_groups[0]
        facts = {
            "person": {"id": who, "roles": ROLES.get(who, ["worker"]), "workforce": None if who in ROLES else who.partition(":")[0]},
            "task": {"element": element.id, "stage": element.properties.get("stage"), "tags": tags, "data": data},
            "case": {
                "started_at": self.env.now,
                "variables": self.case.variables(),
                "stages_done": list(self.stages),
                "authors": {tag: list(people) for tag, people in self.authors.items()},
            },
            "now": self.clock,
        }
        for point in ("start", "assign", "complete") if not self.stages else ("assign", "complete"):
            self.verdicts += regulations.check(self.tables, point, facts, self.clock)
        if "reminder" not in tags:
            self.stages.append(element.properties["stage"])
        for tag in ["approval"] if "approval" in tags else tags:
            self.authors.setdefault(tag, []).append(who)


def host_names() -> dict:
    """What the engine lends to expressions: the county's calendar and the parameters at their defaults."""
    parameters = {key: entry["default"] for key, entry in PARAMETERS.items()}
    return calendar.feel_functions(CALENDAR) | {"parameters": feel.from_plain(parameters)}


def decide_at(now: datetime):
    """The procedure's own tables, at a time."""
    return lambda decision, context: BUNDLE.decisions[decision].decide(context, clock=now.astimezone(CALENDAR.zone))
