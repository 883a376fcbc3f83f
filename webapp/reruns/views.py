"""The page of a change: cell by cell, and past decisions made again."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext

from engine import definitions, instances, organisation
from engine.commands import reruns as commands
from engine.definitions import Version
from engine.instances import Instance
from engine.reruns import RerunRequest, requests
from webapp.auth import actor, command, session, system
from webapp.regulations.words import EFFECTS, POINTS
from webapp.reruns.words import ERRORS, ROWS, SETTINGS, kind_of

pages = Blueprint("reruns", __name__, template_folder="templates")
MOST_LISTED = 100  # changed decisions on the page; a program is told more


@pages.get("/definitions/<key>/<int(max=1000000):number>/change")
def version(key: str, number: int):
    """What a version changes, the reruns it had, and the form that asks for one."""
    definition, found = definitions.version(session(), system().county_id, key, number)
    tables = requests.tables_of(session(), found)
    chosen = request.args.get("decision")
    if chosen not in tables:
        chosen = next(iter(tables), None)
    against = requests.in_force(session(), found)
    return render_template(
        "reruns/version.html",
        definition=definition,
        version=found,
        against=against,
        tables=tables,
        chosen=chosen,
        reruns=requests.of_version(session(), found.id),
        **_difference(found, against, chosen),
    )


@pages.post("/definitions/<key>/<int(max=1000000):number>/change")
def start(key: str, number: int):
    """Ask for a rerun."""
    since, until, decision = (request.form.get(name) or None for name in ("since", "until", "decision"))
    answer = command(commands.start, key, number, since, until, decision)
    return redirect(url_for("reruns.rerun", rerun_id=answer["id"]))


@pages.get("/reruns/<rerun_id>")
def rerun(rerun_id: str):
    """How a rerun stands and what it found."""
    found = requests.read(session(), system().county_id, rerun_id)
    changed = session().get(Version, found.version_id)
    against = session().get(Version, found.against_id) if found.against_id else None
    current = requests.in_force(session(), changed)
    outcome = found.found
    people = organisation.names_of(session(), system().vault, {found.requested_by, found.ended_by} - {None})
    return render_template(
        "reruns/rerun.html",
        definition=definitions.find(session(), found.county_id, changed.key),
        version=changed,
        against=against,
        # Published since it was asked for: it was compared with what is in force no more.
        newer=current if current and current.id not in (found.against_id, changed.id) else None,
        rerun=found,
        outcome=outcome,
        people=people,
        cases=visible_cases(outcome.cases),
        listed=outcome.shown[:MOST_LISTED],
        effects=EFFECTS,
        points=POINTS,
        error=ERRORS.get(found.error or "", ERRORS[""]),
        kind_of=kind_of,
        **_difference(changed, against, found.decision),
    )


@pages.post("/reruns/<rerun_id>/cancel")
def cancel(rerun_id: str):
    """Call it off."""
    command(commands.cancel, rerun_id)
    flash(gettext("已取消；算到一半的结果留在这里。"), "warn")
    return redirect(url_for("reruns.rerun", rerun_id=rerun_id))


def visible_cases(ids: set[str]) -> dict[str, Instance]:
    """Those of some cases that the reader may see, by id."""
    found, wanted = {}, sorted(ids)
    for start_at in range(0, len(wanted), 500):
        part = wanted[start_at : start_at + 500]
        found |= {case.id: case for case in instances.newest_of(session(), actor(), part)}
    return found


def _difference(changed: Version, against: Version | None, decision: str | None) -> dict:
    """The tables laid over each other: of the rows those that differ, unless all are asked for; of the columns those that say something."""
    if decision is None:
        return {"change": None}
    change = requests.difference_of(session(), changed, against, decision)
    everything = request.args.get("rows") == "all"
    rows = [row for row in change.rows if everything or row.state != "same" or row.moved]
    columns = [
        (place, column)
        for place, column in enumerate(change.columns)
        if column.state != "same" or any(cell.before not in (None, "", "-") or cell.after not in (None, "", "-") for cell in _cells(rows, place))
    ]
    return {"change": change, "rows": rows, "columns": columns, "row_words": ROWS, "setting_words": SETTINGS, "decision": decision}


def _cells(rows, place: int):
    return (row.cells[place] for row in rows)


def request_of(found: RerunRequest) -> dict:
    """What a rerun is of, for programs."""
    changed = session().get(Version, found.version_id)
    against = session().get(Version, found.against_id) if found.against_id else None
    return {
        "id": found.id,
        "key": changed.key,
        "number": changed.number,
        "decision": found.decision,
        "against": against and against.number,
        "status": found.status,
        "error": found.error,
        "difference": requests.difference_of(session(), changed, against, found.decision).as_dict(),
    }
