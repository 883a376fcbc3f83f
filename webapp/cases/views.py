"""The case list, starting a case, the case page and what an overseer does with a case."""

import json

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select

from engine import audit, calls, clients, definitions, instances, operations, organisation, permissions
from engine.commands import clients as viewing, instances as commands, operations as by_hand, reporting
from engine.db import new_id
from engine.exceptions import Erased, Forbidden, InvalidRequest, NotFound, RegulationRefused
from engine.instances import Instance
from engine.workflow import Case
from webapp.auth import actor, command, session, system
from webapp.cases import drawing, timeline
from webapp.errors import status_of, verdicts
from webapp.i18n import in_chinese, translated
from webapp.inbox.views import client_names
from webapp.places import own_places, places

pages = Blueprint("cases", __name__, template_folder="templates", url_prefix="/cases")
PAGE = 30
HISTORY = 400  # events on one page of the time line


pages.app_template_filter("told")(timeline.text_of)


@pages.get("/")
def index():
    """Cases of one's place, the newest first."""
    wanted = {name: request.args.get(name, "").strip() or None for name in ("q", "status", "definition", "station")}
    station = places().by_key.get(wanted["station"] or "")
    conditions = {"status": wanted["status"], "definition": wanted["definition"], "station_id": station.id if station else None}
    if wanted["q"]:
        found, following = _search(wanted["q"], conditions), None
    else:
        found, following = instances.cases(session(), actor(), **conditions, cursor=request.args.get("cursor"), limit=PAGE)
    return render_template(
        "cases/index.html",
        cases=found,
        next=following,
        wanted={name: value for name, value in wanted.items() if value},
        clients=client_names({each.client_id for each in found}) if permissions.may(actor(), "client:read") else {},
        procedures=procedure_names(),
        stations=places().stations() if actor().station_id is None else [],
    )


@pages.route("/new", methods=["GET", "POST"])
def new():
    """Choose procedure, place and person; start."""
    refusal = None
    if request.method == "POST":
        try:
            answer = command(
                commands.start,
                request.form.get("definition", ""),
                {},
                request.form.get("place") or None,
                request.form.get("client_id") or None,
                key=request.form.get("_once") or None,
            )
            flash(gettext("已发起个案 %(number)s。", number=answer["number"]), "ok")
            return redirect(_first_stop(answer))
        except (RegulationRefused, Forbidden, InvalidRequest, NotFound) as error:
            refusal = error
    text = request.values.get("q", "").strip()
    hits, more = clients.search(session(), system().vault, actor(), text, limit=12) if text else ([], None)
    chosen = _client(request.values.get("client_id"))
    page = render_template(
        "cases/new.html",
        procedures=startable(),
        places=own_places(actor()),
        chosen=chosen,
        place=request.values.get("place") or (chosen.unit_key if chosen else None) or actor().unit_key,
        q=text,
        hits=hits,
        more=more,
        once=new_id(),
        refusal=translated(refusal) if refusal else None,
        verdicts=verdicts(refusal),
    )
    return page, status_of(refusal) if refusal else 200


@pages.get("/<instance_id>")
def case(instance_id: str):
    """One case: where it stands, what happened, what is known. Looking at a person's case leaves a line in the viewer's access stream."""
    note_look(instance_id)
    opened = instances.open_instance(system(), session(), actor(), instance_id)
    compiled = definitions.compiled(system(), session(), opened.instance.version_id)
    running = Case.restore(compiled.process, opened.state["case"])
    tasks = sorted(instances.tasks_of(session(), instance_id), key=lambda task: (task.due_at is None, task.due_at or task.offered_at))
    show_data = permissions.may(actor(), "client:read")
    history, after, newer = _history(instance_id)
    people = organisation.names_of(
        session(),
        system().vault,
        {line["actor_id"] for line in history}
        | {line["facts"].get("to") for line in history if line["kind"] in timeline.GIVEN}
        | {line["facts"].get("person") for line in history if line["kind"].startswith("waiver:")}
        | {task.holder_id for task in tasks}
        | {opened.instance.started_by} - {None},
    )
    show_all = request.args.get("all") == "1"
    labels = timeline.field_labels(compiled)
    marks = _marks(running, instance_id)
    return render_template(
        "cases/case.html",
        case=opened.instance,
        process=compiled.process,
        name_of=lambda element: timeline.element_name(compiled.process.elements.get(element)),
        tasks=tasks,
        reachable={task.id for task in tasks if instances.in_reach(actor(), task)},
        timers=_timers(instance_id, compiled, tasks),
        incidents=running.incidents(),
        waits=operations.waits_of(session(), instance_id),
        jobs=operations.jobs_of(session(), instance_id),
        called=[child for _link, child in calls.called_by(session(), instance_id)],
        caller=_caller(instance_id),
        procedures=procedure_names(),
        can_operate=permissions.may(actor(), "instance:operate") and opened.instance.status in ("active", "incident"),
        way_of=lambda flow: timeline.flow_name(compiled.process.flows[flow], compiled),
        names=sorted(running.variables()) if show_data else [],
        movable=_movable(running) if permissions.may(actor(), "instance:operate") else [],
        marks=json.dumps(marks),
        steps=_steps(compiled, marks),
        entries=timeline.entries(history, compiled, people, show_all, show_data),
        older=after,
        newer=newer,
        show_all=show_all,
        people=people,
        data=timeline.chapters(running.variables(), compiled, labels) if show_data else None,
        client=_client(opened.instance.client_id) if show_data else None,
        buttons=reporting.buttons(running.subscriptions()) if permissions.may(actor(), "instance:start") else [],
        can_cancel=permissions.may(actor(), "instance:cancel") and opened.instance.status in ("active", "incident"),
        can_retry=permissions.may(actor(), "incident:retry") and opened.instance.status == "incident",
    )


@pages.get("/<instance_id>/diagram.bpmn")
def diagram(instance_id: str):
    """The diagram of the case's version, for the viewer."""
    return drawing.send(instances.open_instance(system(), session(), actor(), instance_id).instance.version_id)


@pages.post("/<instance_id>/cancel")
def cancel(instance_id: str):
    """End a case early."""
    command(commands.cancel, instance_id, request.form.get("reason", ""))
    flash(gettext("个案已终止，原因已记入经过。"), "warn")
    return redirect(url_for("cases.case", instance_id=instance_id))


@pages.post("/<instance_id>/move")
def move(instance_id: str):
    """Go on past an element by hand."""
    token, _, flow = request.form.get("where", "").partition("/")
    if not token.isascii() or not token.isdecimal():
        raise InvalidRequest(field="where", reason="请选择要推进的环节")
    command(by_hand.move_on, instance_id, int(token), request.form.get("reason", ""), flow or None)
    flash(gettext("已手工推进，原因已记入经过。"), "warn")
    return redirect(url_for("cases.case", instance_id=instance_id))


@pages.post("/<instance_id>/correct")
def correct(instance_id: str):
    """Write one variable by hand; its value is an expression."""
    expressions = {request.form.get("name", "").strip(): request.form.get("value", "")}
    command(by_hand.correct, instance_id, request.form.get("reason", ""), None, expressions)
    flash(gettext("数据已更正，原因已记入经过。"), "warn")
    return redirect(url_for("cases.case", instance_id=instance_id))


@pages.post("/<instance_id>/report/<element>")
def report(instance_id: str, element: str):
    """Tell a case of something that it hears of at any time; go on to what there is to do about it."""
    answer = command(reporting.report, instance_id, element)
    flash(gettext("已报告。"), "warn")
    return redirect(_first_stop(answer))


@pages.post("/<instance_id>/retry")
def retry(instance_id: str):
    """Try the failed steps again."""
    answer = command(commands.retry, instance_id)
    if answer["status"] == "incident":
        flash(gettext("重试后仍有故障，请按原因处理。"), "danger")
    else:
        flash(gettext("故障已排除，个案继续。"), "ok")
    return redirect(url_for("cases.case", instance_id=instance_id))


def _search(text: str, conditions: dict) -> list:
    """The latest cases of the people whom `text` finds (characters, pinyin, initials), and those whose number begins with it."""
    people = []
    if permissions.may(actor(), "client:read"):
        people, _more = clients.search(session(), system().vault, actor(), text, limit=100)
    wanted = {"definition_key" if name == "definition" else name: value for name, value in conditions.items()}
    return instances.search(session(), actor(), text, [each.id for each in people], limit=PAGE, **wanted)


def note_look(instance_id: str) -> None:
    """Record that the actor looks at the data of a case's client; nothing to record where there is none, or none that they may see."""
    if not permissions.may(actor(), "client:read"):
        return
    instance = instances.open_instance(system(), session(), actor(), instance_id).instance
    client_id, number = instance.client_id, instance.number
    if client_id:
        try:
            command(viewing.view, client_id, f"case {number}")
        except (NotFound, Erased):
            pass


def startable() -> list:
    """Published procedures that people begin."""
    found = definitions.versions(session(), system().county_id, "procedure")
    versions = [(definition, definition.published_version_id) for definition, _versions in found if definition.published_version_id]
    return [each for each, version in versions if definitions.compiled(system(), session(), version).process.has_plain_start]


def procedure_names() -> dict[str, str]:
    """Key → name of every procedure, in the reader's language."""
    found = definitions.versions(session(), system().county_id, "procedure")
    return {definition.key: called(definition) for definition, _versions in found}


@pages.app_template_filter("called")
def called(definition) -> str:
    """What a procedure is called, in the reader's language: its published diagram may carry an English name."""
    if in_chinese() or definition.kind != "procedure" or not definition.published_version_id:
        return definition.name
    process = definitions.compiled(system(), session(), definition.published_version_id).process
    return process.properties.get("name_en") or definition.name


def _first_stop(answer: dict) -> str:
    """The first task if this person may do it, else the case."""
    from webapp.inbox.views import next_address

    address = next_address(answer)
    return address if address != url_for("inbox.index") else url_for("cases.case", instance_id=answer["id"])


def _client(client_id: str | None):
    if not client_id:
        return None
    try:
        return clients.read(session(), system().vault, actor(), client_id)
    except (NotFound, Erased, Forbidden):
        return None


def _history(instance_id: str):
    """(events, where the page before begins or None, whether there is a newer page): by default the latest page."""
    if not permissions.may(actor(), "instance:history"):
        return [], None, False
    head = session().scalar(select(audit.Stream.seq).where(audit.Stream.id == instances.stream_of(instance_id))) or 0
    last = max(0, head - HISTORY)
    after = min(max(request.args.get("after", last, type=int), 0), last)
    lines, _next = instances.history(system(), session(), actor(), instance_id, after, HISTORY)
    return lines, after, after + HISTORY < head


def _timers(instance_id: str, compiled, tasks: list) -> list:
    """What the case waits for, without the deadlines that stand beside their tasks anyway."""
    told = {(task.element, task.due_at) for task in tasks}
    elements = compiled.process.elements
    waiting = instances.timers_of(session(), instance_id)
    return [timer for timer in waiting if (getattr(elements.get(timer.element), "attached_to", None), timer.due_at) not in told]


def _caller(instance_id: str) -> Instance | None:
    """The case that called this one."""
    link = calls.caller_of(session(), instance_id)
    return session().get(Instance, link.parent_id) if link else None


def _movable(running: Case) -> list[tuple[str, str, str]]:
    """(what the form sends, element, the way's name or nothing) of every place that an operator may move the case past."""
    found = []
    tokens = {i.token for i in running.incidents()} | {w.token for w in (*running.waits(), *running.subscriptions(), *running.jobs())}
    for token in sorted(tokens | {call.token for call in running.calls()} | {t.token for t in running.timers()}):
        element = running.process.elements.get(running.tokens[token].element)
        if element is None or (element.kind.is_activity and running.tokens[token].stage == "inside"):
            continue
        ways = element.outgoing if len(element.outgoing) > 1 else ()
        found += [(f"{token}/{flow.id}", element.id, flow.id) for flow in ways] or [(str(token), element.id, "")]
    return found


def _steps(compiled, marks: dict[str, list[str]]) -> list[tuple[str, str]] | None:
    """(name, how it stands) of every step, for a diagram that has no layout; None where it has one and can be shown."""
    if drawing.drawing_of(compiled.version_id).is_drawn:
        return None
    how = {element: mark for mark in ("done", "here", "broken") for element in marks[mark]}
    return [(timeline.element_name(step), how.get(step.id, "")) for step in drawing.steps_of(compiled)]


def _marks(running: Case, instance_id: str) -> dict[str, list[str]]:
    """What the diagram shows: here, done, broken, element ids each."""
    waiting = (*running.waits(), *running.timers(), *running.subscriptions(), *running.jobs(), *running.calls())
    here = [each.element.id for each in waiting]
    broken = [incident.element.id for incident in running.incidents() if incident.element]
    query = select(audit.Event.facts).where(
        audit.Event.stream == instances.stream_of(instance_id), audit.Event.kind == "element:completed"
    )
    done = {each for facts in session().scalars(query) for each in (facts["element"], *facts.get("flows", ()))}
    return {"here": sorted(set(here)), "broken": sorted(set(broken)), "done": sorted(done - {None} - set(here))}
