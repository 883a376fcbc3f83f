"""The papers of a case, one paper, and erasing a party. Every look and every print is recorded."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext as _l

from engine import definitions, documents, organisation, parties, permissions
from engine.commands import documents as noting, parties as erasing
from engine.instances import CLAIMED, OFFERED
from engine.workflow import Case
from webapp.auth import actor, command, session, system
from webapp.documents.layout import blocks
from webapp.i18n import in_chinese, now
from webapp.places import places

# The codes of a party's `role` in the procedures' forms.
ROLES = {
    "petitioner": _l("信访人"),
    "respondent": _l("被反映的一方"),
    "representative": _l("代表人"),
    "related": _l("其他利害关系人"),
}
pages = Blueprint("documents", __name__, template_folder="templates")


@pages.get("/cases/<instance_id>/documents")
def index(instance_id: str):
    """What can be printed of a case, and who its parties are."""
    opened = documents.open_case(system(), session(), actor(), instance_id)
    lines = documents.of_case(system(), session(), actor(), instance_id)
    compiled = definitions.compiled(system(), session(), opened.instance.version_id)
    people = {}
    if permissions.may(actor(), "client:read"):
        people = parties.listed(Case.restore(compiled.process, opened.state["case"]).variables())
    holders = organisation.names_of(session(), system().vault, {line.task.holder_id for line in lines} - {None})
    return render_template(
        "documents/index.html",
        case=opened.instance,
        filled=[line for line in lines if line.task.status not in (OFFERED, CLAIMED)],
        blank=[line for line in lines if line.task.status in (OFFERED, CLAIMED)],
        holders=holders,
        parties=people,
        erased=parties.ERASED,
        role_of=lambda code: str(ROLES.get(code, code)),
        title_of=title_of,
    )


@pages.get("/documents/<task_id>")
def document(task_id: str):
    """One paper, ready to be printed."""
    command(noting.view, task_id)
    found = documents.open_document(system(), session(), actor(), task_id)
    case, task = found.instance, found.task
    names = organisation.names_of(session(), system().vault, {task.holder_id, actor().person_id} - {None})
    station = places().station_of(case.place_path)
    county = next(place for place in places().all if place.kind == "county")
    return render_template(
        "documents/document.html",
        document=found,
        title=title_of(found),
        blocks=blocks(found.fields, found.filled, found.notice),
        case=case,
        county=county.name,
        station=station.name if station else "",
        holder=names.get(task.holder_id, "") if task.holder_id else "",
        printed_at=now(),
    )


@pages.post("/documents/<task_id>/printed")
def printed(task_id: str):
    """Note that the paper is being printed; the browser prints it."""
    command(noting.print_out, task_id)
    if request.headers.get("X-Background"):
        return "", 204
    flash(gettext("已记录。请用浏览器的“打印”打印这一页。"), "ok")
    return redirect(url_for("documents.document", task_id=task_id))


@pages.post("/cases/<instance_id>/parties/<party>/erase")
def erase(instance_id: str, party: str):
    """Erase what is known of one party."""
    command(erasing.erase, instance_id, party, request.form.get("reason", ""))
    flash(gettext("已按规定删除这名当事人的资料，个案和其他当事人不受影响。"), "warn")
    return redirect(url_for("documents.index", instance_id=instance_id))


def title_of(paper) -> str:
    """A paper's title in the reader's language."""
    return paper.title if in_chinese() or not paper.title_en else paper.title_en
