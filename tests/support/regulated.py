"""What tests of the regulations share: people who act through the API, what the regulations said of it, and small procedures.

A test marked `@pytest.mark.rule("duties.staffing")` must see the rule broken (`refused`, `told`, `alerted`) and kept (`passes`, `untold`,
`unalerted`): `work` fails it otherwise. tests/functional/regulations/test_every_rule.py holds the marks against the tables.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from engine.audit import Kind, events
from engine.commands.definitions import set_parameter
from engine.commands.organisation import change_person
from engine.commands.periods import stream
from engine.organisation import unit_by_key
from tests.bpmn.builder import Diagram
from tests.support.county import NOW
from tests.support.databases import ROOT
from tests.support.forms import options, schema
from tests.support.journeys import likely
from tests.support.web import Program, Site
from webapp.demo.answers import answer

HISTORY = 200  # events on a page


@dataclass(frozen=True)
class Step:
    """A task of a small procedure. `fields`: key → one value of its form, from which its kind follows; or `form`, one of the product's.
    `due`: a duration."""

    id: str
    tags: str = ""
    stage: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    form: str = ""
    due: str = ""
    groups: str = "worker,lead,supervisor"

    @property
    def form_id(self) -> str:
        """The form's id; empty without one."""
        return self.form or (self.id if self.fields else "")


def procedure(*steps: Step, key: str = "small") -> dict[str, bytes]:
    """A procedure of one task after the other, with their forms, as files to deploy."""
    diagram = Diagram(key, "小流程")
    diagram.add("startEvent", "start")
    for step in steps:
        zeebe = "<zeebe:userTask/>" + (f'<zeebe:formDefinition formId="{step.form_id}"/>' if step.form_id else "")
        zeebe += f'<zeebe:assignmentDefinition candidateGroups="{step.groups}"/>'
        zeebe += f'<zeebe:taskSchedule dueDate="=now() + duration(&#34;{step.due}&#34;)"/>' if step.due else ""
        told = "".join(f'<zeebe:property name="{name}" value="{getattr(step, name)}"/>' for name in ("tags", "stage") if getattr(step, name))
        diagram.add("userTask", step.id, zeebe + (f"<zeebe:properties>{told}</zeebe:properties>" if told else ""), name="小任务")
    diagram.add("endEvent", "end")
    diagram.path("start", *(step.id for step in steps), "end")
    return {f"{key}.bpmn": diagram.xml()} | {f"{step.form_id}.form": _form(step) for step in steps if step.form_id}


def filled(form: str, now: datetime, **wishes) -> dict:
    """Likely answers to one of the product's forms."""
    return answer(json.loads(_product(form)), wishes, now)


def _product(form: str) -> bytes:
    return (ROOT / "bpmn" / "forms" / f"{form}.form").read_bytes()


def _form(step: Step) -> bytes:
    if step.form:
        return _product(step.form)
    return json.dumps(schema(*(_component(*each) for each in step.fields.items()), id=step.id), ensure_ascii=False).encode()


def _component(key: str, value: object) -> dict:
    named = {"key": key, "label": key}
    if isinstance(value, bool):
        return named | {"type": "checkbox"}
    if isinstance(value, datetime):
        return named | {"type": "datetime", "subtype": "datetime", "timeSerializingFormat": "utc_offset"}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {"type": "dynamiclist", "path": key, "components": [_component(*each) for each in value[0].items()]}
    if isinstance(value, list):
        return named | {"type": "checklist", "values": options(*value)}
    return named | {"type": "number" if isinstance(value, int) else "textfield"}


class Work:
    """A county at work. Methods that act answer the response; those that look assert."""

    def __init__(self, site: Site):
        self.site, self.county = site, site.county
        self.broken: set[str] = set()
        self.kept: set[str] = set()
        self._programs: dict[tuple[str, date], Program] = {}

    # --- acts -----------------------------------------------------------------------------------------------------------

    def api(self, who: str) -> Program:
        """Somebody's program; they sign in again every day."""
        key = (who, self.county.now.date())
        if key not in self._programs:
            self._programs[key] = self.site.api(who)
        return self._programs[key]

    def start(self, definition: str = "service_delivery", who: str = "ft-01-1", place: str = "room-001", client: str | None = None, **data):
        """Start a case; with `data` its first form is answered at once."""
        body = {"definition": definition, "place": place, "client": client, "data": data}
        return self.api(who).post("/instances", {name: value for name, value in body.items() if value is not None})

    def case(self, definition: str = "service_delivery", **how) -> str:
        """The id of a new case."""
        return done(self.start(definition, **how))["id"]

    def task(self, case: str, element: str) -> str:
        """The case's open task at an element; of several, the newest."""
        tasks = self.api("supervisor").get(f"/instances/{case}").json["tasks"]
        return [task["id"] for task in tasks if task["element"] == element][-1]

    def claim(self, case: str, element: str, who: str):
        return self.api(who).post(f"/tasks/{self.task(case, element)}/claim")

    def complete(self, case: str, element: str, who: str, data: dict | None = None):
        """Complete what is claimed."""
        return self.api(who).post(f"/tasks/{self.task(case, element)}/complete", {"data": data or {}})

    def do(self, case: str, element: str, who: str = "ft-01-1", data: dict | None = None):
        """Claim, which passes, and complete."""
        done(self.claim(case, element, who))
        return self.complete(case, element, who, data)

    def through(self, case: str, *elements: str, who: str = "ft-01-1", **wishes) -> str:
        """Go through tasks of service_delivery as is likely; `wishes` are answers to whichever forms ask for them. Answers the case."""
        for element in elements:
            person = "lead-01" if element.startswith(("approve", "crisis_approval")) else who
            done(self.do(case, element, person, likely(element, self.county.now, **wishes)))
        return case

    def register(self, name: str, whom: str, /, who: str = "supervisor", **values) -> str:
        """Enter something into a register; the entry's id."""
        return done(self.api(who).post(f"/registers/{name}", {"whom": whom, "values": values}))["id"]

    def client(self, name: str = "张三", born: str = "1950-05-01", place: str = "room-001", who: str = "ft-01-1", **data) -> str:
        """Somebody served; their id."""
        body = {"place": place, "data": {"name": name, "birth_date": born, **data}}
        return done(self.api(who).post("/clients", body))["id"]

    def outing(self, case: str, who: str = "ft-01-1", *companions: str, hours: int = 2):
        """Report going out for a case."""
        until = datetime.fromtimestamp(self.county.now.timestamp() + hours * 3600, self.county.now.tzinfo).isoformat()
        trip = {"destination": "张庄村", "reason": "走访", "expected_return": until, "companions": list(companions), "instance": case}
        return self.api(who).post("/outings", trip)

    def back(self, outing) -> None:
        """Everybody of a reported outing is back."""
        done(self.api("ft-01-1").post(f"/outings/{done(outing)['id']}/return"))

    def keep(self, *registers: str) -> None:
        """The county keeps these registers from now on: the rules that read them bind."""
        self.number(**{f"keep_{register}": 1 for register in registers})

    def number(self, **parameters: float) -> None:
        """The county sets numbers."""
        for key, value in parameters.items():
            set_parameter(self.county.system, self.county.act("supervisor"), key, value, now=self.county.now)

    def deploy(self, *steps: Step, key: str = "small") -> str:
        """Publish a small procedure; its key."""
        self.county.deploy(**procedure(*steps, key=key))
        return key

    def leaves(self, *people: str) -> None:
        """These people work here no more."""
        for username in people:
            person = self.county.act(username).person_id
            change_person(self.county.system, self.county.act("admin"), person, {"active": False}, now=self.county.now)

    def installed(self) -> None:
        """Go to when this installation was made: what ends later is looked at."""
        self.county.now = NOW.astimezone(self.county.now.tzinfo)

    def at(self, day: str, hour: int = 9) -> None:
        """Let time pass until the morning of a day; whatever is due by then happens."""
        self.county.now = datetime.fromisoformat(day).replace(hour=hour, tzinfo=self.county.now.tzinfo)
        self.county.pass_time()

    # --- what the regulations said ---------------------------------------------------------------------------------------

    def refused(self, response, rule: str) -> dict:
        """The act was refused by this rule, which says what would make it pass, or who can waive it; its verdict."""
        assert response.status_code == 409, response.text
        assert response.content_type == "application/problem+json" and response.json["code"] == "regulation_refused"
        said = {verdict["rule"]: verdict for verdict in response.json["verdicts"]}
        assert rule in said, said.keys()
        assert said[rule]["message"] and said[rule]["source"]
        self.broken.add(rule)
        return said[rule]

    def passes(self, response, *rules: str) -> dict:
        """The act passed, although these rules looked at it; its answer."""
        self.kept.update(rules)
        return done(response)

    def told(self, case: str, rule: str) -> None:
        """The case's history holds that this rule said something."""
        assert rule in self.said(case)
        self.broken.add(rule)

    def untold(self, case: str, *rules: str) -> None:
        """Nothing of these."""
        assert not self.said(case) & set(rules)
        self.kept.update(rules)

    def said(self, case: str) -> set[str]:
        """The rules that said something without stopping anybody, by the case's history."""
        page = done(self.api("supervisor").get(f"/instances/{case}/history?limit={HISTORY}"))
        assert page["next"] is None
        checks = [event for event in page["items"] if event["kind"] == "regulation:checked"]
        return {verdict["rule"] for event in checks for verdict in event["facts"]["verdicts"]}

    def told_of(self, unit: str, rule: str) -> None:
        """The history of a unit, which no address shows, holds that this rule said something of a period that ended."""
        assert rule in self._said_of(unit)
        self.broken.add(rule)

    def untold_of(self, unit: str, *rules: str) -> None:
        """Nothing of these."""
        assert not self._said_of(unit) & set(rules)
        self.kept.update(rules)

    def _said_of(self, unit: str) -> set[str]:
        with self.county.system.database.read() as session:
            found = unit_by_key(session, self.county.system.county_id, unit)
            checks = [event for event in events(session, stream(found.id)) if event.kind == Kind.REGULATION_CHECKED]
        return {verdict["rule"] for event in checks for verdict in event.facts["verdicts"]}

    def alerted(self, who: str, rule: str, about: str | None = None) -> dict:
        """Somebody has an alert of this rule, the newest; `about` as `alerts` has it."""
        found = [line for line in self.alerts(who, about) if line["rule"] == rule]
        assert found, [line["rule"] for line in self.alerts(who)]
        self.broken.add(rule)
        return found[-1]

    def unalerted(self, who: str, *rules: str, about: str | None = None) -> None:
        """Somebody has none of these."""
        assert not {line["rule"] for line in self.alerts(who, about)} & set(rules)
        self.kept.update(rules)

    def alerts(self, who: str, about: str | None = None) -> list[dict]:
        """What waits for somebody; `about`: only what is about a case (its id) or a place (its key)."""
        lines = done(self.api(who).get("/alerts"))["items"]
        return [line for line in lines if about in (None, line["instance"], line["place"])]


def done(response) -> dict:
    """The answer to what passed."""
    assert response.status_code in (200, 201), response.text
    return response.json
