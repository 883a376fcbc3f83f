"""What procedures there are; deploy, publish, withdraw; look at a version's diagram."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import definitions, guards, instances, organisation, permissions, reference
from engine.bundle import examine_files
from engine.commands import definitions as commands
from engine.exceptions import BasedOnOlder, DeployRefused, InvalidRequest, NotFound
from webapp import auth
from webapp.auth import command, session, system
from webapp.cases import drawing, timeline
from webapp.definitions import uploads
from webapp.errors import status_of
from webapp.i18n import in_chinese, translated
from webapp.regulations.words import EFFECTS, POINTS

REVIEWED = ("example_failed", "blocks_everybody")  # a draft may have these faults; it is not published with them

pages = Blueprint("definitions", __name__, template_folder="templates", url_prefix="/definitions")


@pages.get("/")
def index():
    """All definitions with their versions."""
    return _page()


@pages.post("/")
def deploy():
    """A new draft version of what the files hold; every finding is shown."""
    try:
        answer = command(commands.deploy, uploads.bundle())
    except (DeployRefused, InvalidRequest) as refusal:
        return _page(refusal), status_of(refusal)
    for each in answer["definitions"]:
        flash(gettext("“%(name)s”第 %(n)s 版已部署为草稿，发布后新个案才会使用。", name=each["name"], n=each["number"]), "ok")
    for warning in answer["warnings"]:
        flash(warning["message"] if in_chinese() else warning["message_en"], "warn")
    return redirect(url_for("definitions.version", key=answer["key"], number=answer["number"]))


@pages.get("/<key>/<int(max=1000000):number>")
def version(key: str, number: int):
    """One version: its diagram, its files."""
    return _version_page(key, number)


def _version_page(key: str, number: int, refusal: BasedOnOlder | None = None):
    definition, found = definitions.version(session(), system().county_id, key, number)
    files = definitions.resources(session(), found.id)
    people = organisation.names_of(session(), system().vault, {found.deployed_by, found.published_by} - {None})
    return render_template(
        "definitions/version.html",
        definition=definition,
        version=found,
        files={name: len(content) for name, content in files.items()},
        remarks=_remarks(files) if permissions.may(auth.actor(), "definition:deploy") else [],
        **_shown(definition, found),
        guards=_guards(definition, found),
        points=POINTS,
        effects=EFFECTS,
        open_cases=instances.count_open(session(), system().county_id, None if definition.kind == "regulation" else found.id),
        people=people,
        refusal=translated(refusal) if refusal else None,
        newer=refusal.facts["current"] if refusal else None,
    )


@pages.get("/<key>/<int(max=1000000):number>/diagram.bpmn")
def diagram(key: str, number: int):
    """A version's diagram, for the viewer."""
    return drawing.send(definitions.version(session(), system().county_id, key, number)[1].id)


@pages.get("/<key>/<int(max=1000000):number>/files/<name>")
def file(key: str, number: int, name: str):
    """One file of a version, as it was deployed."""
    _definition, found = definitions.version(session(), system().county_id, key, number)
    content = definitions.resources(session(), found.id).get(name)
    if content is None:
        raise NotFound(what="文件", key=name)
    kind = {"form": "application/json", "yaml": "application/yaml"}.get(name.rsplit(".", 1)[-1], "application/xml")
    # Always a download: nothing that somebody uploaded is ever shown as a page of ours.
    return Response(content, mimetype=kind, headers={"Content-Disposition": "attachment"})


@pages.post("/<key>/<int(max=1000000):number>/publish")
def publish(key: str, number: int):
    """Make it the version that new cases use; `based_on` confirms what a regulation's draft would undo."""
    confirmed = request.form.get("based_on", type=int)
    try:
        command(commands.publish, key, number, based_on=confirmed)
    except BasedOnOlder as refusal:
        return _version_page(key, number, refusal), status_of(refusal)
    except DeployRefused as refusal:
        return _page(refusal), status_of(refusal)
    flash(gettext("已发布，新个案从现在起使用这一版。"), "ok")
    return redirect(url_for("definitions.version", key=key, number=number))


@pages.post("/<key>/<int(max=1000000):number>/withdraw")
def withdraw(key: str, number: int):
    """Let no new case use it."""
    _definition, found = definitions.version(session(), system().county_id, key, number)
    answer = command(commands.withdraw, key, number)
    if found.kind == "regulation":
        flash(gettext("已停用。它的规则从现在起不再约束任何个案，包括 %(n)d 件在办的。", n=answer["open_cases"]), "warn")
    else:
        flash(gettext("已停用。正在进行的个案不受影响。"), "warn")
    return redirect(url_for("definitions.version", key=key, number=number))


def _page(refusal=None):
    return render_template(
        "definitions/index.html",
        found=definitions.versions(session(), system().county_id),
        refusal=translated(refusal) if refusal else None,
        findings=getattr(refusal, "findings", ()),
    )


def _shown(definition, version) -> dict:
    """Whether there is a diagram to show (`drawn`); the `steps` of one that has no layout."""
    if definition.kind != "procedure":
        return {"drawn": False, "steps": None}
    if drawing.drawing_of(version.id).is_drawn:
        return {"drawn": True, "steps": None}
    compiled = definitions.compiled(system(), session(), version.id)
    return {"drawn": False, "steps": [(timeline.element_name(step), "") for step in drawing.steps_of(compiled)]}


def _guards(definition, version) -> list[guards.Guarded]:
    """The rules in force that guard a procedure's tasks."""
    if definition.kind != "procedure":
        return []
    process = definitions.compiled(system(), session(), version.id).process
    return guards.guarded(process, reference.in_force(system(), session()).tables)


def _remarks(files: dict[str, bytes]) -> list:
    return [finding for finding in examine_files(files) if finding.severity == "warning" or finding.code in REVIEWED]
