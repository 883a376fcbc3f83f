"""The inbox and the task page. Every button is a plain form; a refusal shows on the page it came from, with its reason."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from engine import assignment, clients, definitions, documents, instances as cases, organisation, permissions, tasks
from engine.commands import delegation, reporting, tasks as commands
from engine.commands.running import words
from engine.db import new_id
from engine.exceptions import (
    EngineError,
    Erased,
    Forbidden,
    InstanceClosed,
    InvalidForm,
    InvalidRequest,
    NotFound,
    NotOffered,
    RegulationRefused,
    TaskClosed,
    TaskNotYours,
    TaskTaken,
)
from engine.facts.sources import VISITS
from engine.instances import CLAIMED, OFFERED
from webapp.auth import actor, command, session, system
from webapp.errors import status_of, verdicts
from webapp.i18n import in_chinese, named, now, translated
from webapp.inbox.form_html import parse
from webapp.outings.views import banner
from webapp.registers.showing import reminders
from webapp.words import role

pages = Blueprint("inbox", __name__, template_folder="templates", url_prefix="/tasks")
# What is told on the task's own page; anything else has the error page.
REFUSALS = (RegulationRefused, Forbidden, NotOffered, TaskTaken, TaskNotYours, TaskClosed, InstanceClosed)
KEY = "_once"  # makes a form pressed twice count once


@pages.get("/")
def index():
    """The three lists: mine, what I may claim, all open at my place."""
    from webapp.waivers.views import banner as waived  # which names tasks as this module does

    view = request.args.get("view", "mine")
    lines, following = tasks.inbox(system(), session(), actor(), view, request.args.get("cursor"), limit=50)
    lines.sort(key=lambda line: (line.task.due_at is None, line.task.due_at or line.task.offered_at, -line.task.priority))
    return render_template(
        "inbox/index.html",
        view=view,
        banner=banner(),
        waived=waived(),
        barred=lambda line: line.task.status == OFFERED and bool(barrier(line.task)),
        reminders=reminders(),
        lines=lines,
        next=following,
        counts=tasks.counts(session(), actor()),
        procedure=lambda line: procedure_name(definitions.compiled(system(), session(), line.instance.version_id)),
        clients=client_names({line.instance.client_id for line in lines}, held=view == "mine"),
        returned=returned_to(lines),
        holders=organisation.names_of(session(), system().vault, {line.task.holder_id for line in lines} - {None}),
    )


@pages.get("/<task_id>")
def task(task_id: str):
    """One task: what it is, how far it is, and its form."""
    return _page(tasks.detail(system(), session(), actor(), task_id))


@pages.post("/<task_id>/claim")
def claim(task_id: str):
    """Take it."""
    try:
        command(commands.claim, task_id)
    except REFUSALS as refusal:
        return _refused(task_id, refusal)
    flash(gettext("已领取。"), "ok")
    return redirect(url_for("inbox.task", task_id=task_id))


@pages.post("/<task_id>/release")
def release(task_id: str):
    """Give it back."""
    try:
        answer = command(commands.release, task_id, request.form.get("reason", ""))
    except (InvalidRequest, *REFUSALS) as refusal:
        return _refused(task_id, refusal)
    flash(gettext("已退回，其他同事可以领取。") if answer["status"] == OFFERED else gettext("已退还给转派的人。"), "ok")
    return redirect(url_for("inbox.index", view="offered"))


@pages.post("/<task_id>/delegate")
def delegate(task_id: str):
    """Hand it to somebody."""
    try:
        command(commands.delegate, task_id, request.form.get("to", ""))
    except REFUSALS as refusal:
        return _refused(task_id, refusal)
    flash(gettext("已转派。"), "ok")
    return redirect(url_for("inbox.index", view="station"))


@pages.post("/<task_id>/complete")
def complete(task_id: str):
    """Send the form. What the engine refuses comes back with the form as it was filled in."""
    detail = tasks.detail(system(), session(), actor(), task_id)
    name = element_name(detail)
    submitted, again = parse(detail.form, request.form, detail.variables, _local_now()) if detail.form else ({}, False)
    if again:  # a button that adds or removes an entry, or fields that appear only now, where there is no JavaScript
        return _page(detail, submitted)
    try:
        answer = command(commands.complete, task_id, submitted, key=request.form.get(KEY) or None)
    except (InvalidForm, *REFUSALS) as refusal:
        detail = tasks.detail(system(), session(), actor(), task_id)  # the command ended the session that read it
        return _page(detail, submitted, getattr(refusal, "errors", None), refusal), status_of(refusal)
    told = Markup(gettext("“%(name)s”已办结。")) % {"name": name}
    if detail.element.properties.get("document"):
        title, title_en = documents.titles_of(detail.element)
        label = gettext("打印“%(title)s”", title=named({"name": title, "name_en": title_en}))
        told += Markup(' <a href="{}">{}</a>').format(url_for("documents.document", task_id=task_id), label)
    flash(told, "ok")
    return redirect(next_address(answer))


@pages.post("/<task_id>/report/<element>")
def report(task_id: str, element: str):
    """Tell the task's case of something that it hears of at any time; go on to what there is to do about it."""
    answer = command(reporting.report_at_task, task_id, element)
    flash(gettext("已报告。"), "warn")
    return redirect(next_address(answer))


def next_address(answer: dict) -> str:
    """Where to go after a task: on to the case's next one if it is this person's to do, else back to the list."""
    for new in answer.get("tasks", ()):
        try:
            found = tasks.detail(system(), session(), actor(), new["id"])
        except EngineError:
            continue
        if found.task.holder_id == actor().person_id or (found.task.status == OFFERED and not barrier(found.task)):
            return url_for("inbox.task", task_id=new["id"])
    return url_for("inbox.index")


def returned_to(lines) -> dict[str, tuple[str, str]]:
    """Task id → (who gave it back to this person, why), of the tasks that they delegated and hold again."""
    found = tasks.returned(system(), session(), actor(), [line for line in lines if line.task.holder_id == actor().person_id])
    names = organisation.names_of(session(), system().vault, {who for who, _why in found.values()})
    return {task_id: (names.get(who, ""), why) for task_id, (who, why) in found.items()}


def _refused(task_id: str, refusal: EngineError):
    return _page(tasks.detail(system(), session(), actor(), task_id), refusal=refusal), status_of(refusal)


def _page(detail, submitted: dict | None = None, errors: dict | None = None, refusal: EngineError | None = None):
    task = detail.task
    mine = task.status == CLAIMED and task.holder_id == actor().person_id
    fields = detail.form.view(detail.variables, submitted, errors, clock=_local_now()) if detail.form and mine else []
    people = organisation.names_of(session(), system().vault, {task.holder_id, detail.instance.started_by} - {None})
    return render_template(
        "inbox/task.html",
        detail=detail,
        task=task,
        instance=detail.instance,
        name=element_name(detail),
        documentation=detail.element.documentation,
        mine=mine,
        visit=not VISITS.isdisjoint(words(detail.element.properties.get("tags"))),
        buttons=reporting.buttons(detail.case.subscriptions()) if task.status in (OFFERED, CLAIMED) else [],
        claimable=task.status == OFFERED and not barrier(task),
        barrier=barrier(task) if task.status == OFFERED else None,
        form=detail.form,
        fields=fields,
        live=any(_is_live(field) for field in fields),
        kept=_kept(detail, submitted) if submitted and not mine else [],
        context=detail.form.context(detail.variables) if detail.form and mine else {},
        errors=errors or {},
        refusal=translated(refusal) if refusal else None,
        verdicts=verdicts(refusal),
        holder=people.get(task.holder_id),
        delegated=mine and delegation.delegator(detail.ledger, task) is not None,
        returned=returned_to([detail]).get(task.id),
        client=client_names({detail.instance.client_id}, held=mine).get(detail.instance.client_id),
        candidates=candidates(task) if _delegable(task) else [],
        once=new_id(),
        key_field=KEY,
    )


def _kept(detail, submitted: dict) -> list[tuple[str, str]]:
    """What was typed into the form of a task that is no longer this person's, as (label, text): they may need it still."""
    from webapp.cases import timeline

    typed = {name: value for name, value in submitted.items() if value not in (None, "", [], {})}
    return [line for _title, lines in timeline.chapters(typed, detail.compiled, timeline.field_labels(detail.compiled)) for line in lines]


def _is_live(field) -> bool:
    """Whether something in it changes with what is typed: only then does the browser need the expression language."""
    inside = (*field.children, *([field.template] if field.template else []))
    return bool(field.live) or any(_is_live(each) for each in inside)


def _delegable(task) -> bool:
    return task.status in (OFFERED, CLAIMED) and permissions.may(actor(), "task:delegate")


def _local_now():
    return now().astimezone(system().zone)


def element_name(detail) -> str:
    """What the diagram calls the task, in the reader's language."""
    element = detail.element
    return named({"name": element.name or element.id, "name_en": element.properties.get("name_en")})


def procedure_name(compiled) -> str:
    """What a version's diagram is called, in the reader's language."""
    process = compiled.process
    return named({"name": process.name, "name_en": process.properties.get("name_en")})


def barrier(task) -> str | None:
    """Why the task is not one for this person, in the reader's language; None if it is."""
    who, offer = actor(), cases.offer_of(task)
    why = assignment.refusal(who.groups, who.unit_path, offer, who.person_id, who.username)
    if why is None:
        return None
    chinese, english = assignment.REFUSALS[why]
    kinds = gettext("、").join(role(kind) for kind in sorted(offer.workforce))
    return (chinese if in_chinese() else english).format(workforce=kinds)


def candidates(task) -> list:
    """The people of the place to whom the task could be handed, but its holder, by name."""
    offer = cases.offer_of(task)
    within = "/".join(task.place_path.split("/")[:2])
    found = organisation.actors(session(), system().vault, actor().county_id, within)
    return [
        person
        for person in found
        if person.person_id != task.holder_id and assignment.may_take(person.groups, person.unit_path, offer, person.person_id, person.username)
    ]


def client_names(client_ids, held: bool = False) -> dict[str, str]:
    """Names of the clients that the actor may see. `held`: by tasks that the actor holds; that opens a name to volunteers and partners too."""
    found = {}
    for client_id in set(client_ids) - {None}:
        try:
            found[client_id] = clients.read(session(), system().vault, actor(), client_id, by_task=held).name
        except (NotFound, Forbidden, Erased):
            continue
    return found
