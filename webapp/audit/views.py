"""Verification on demand and the access streams."""

import time

from flask import Blueprint, render_template, request
from sqlalchemy import select

from engine import audit, organisation
from engine.exceptions import NotFound
from engine.vault import SubjectKey
from engine.verification import verify as faults_of
from webapp.audit import wording
from webapp.auth import actor, session, system
from webapp.i18n import in_chinese

pages = Blueprint("audit", __name__, template_folder="templates", url_prefix="/audit")
SHOWN = 200  # faults and events on a page
# The engine says what it found in Chinese, with numbers; this is the English of each code.
FAULTS = {
    "events_removed": "Events were removed here.",
    "event_missing": "An event is missing here or was moved.",
    "chain_broken": "This event does not follow the one before it: history was rewritten or reordered.",
    "format_unknown": "The event's format is not known.",
    "event_changed": "The event does not match its hash: it was changed or forged.",
    "stream_missing": "The register of this history is missing.",
    "head_differs": "The last event does not match the register: an event was added, or the register changed.",
    "row_removed": "The row was removed, past the system.",
    "row_restored": "The row should be gone, and is there again.",
    "row_changed": "The row does not match history: it was changed past the system.",
    "table_unknown": "History wrote rows of this table, but there is no such table to compare with.",
    "key_destroyed": "A key was destroyed, and history tells of no erasure: the content is lost.",
    "key_restored": "A key that was destroyed by an erasure is there again.",
    "key_missing": "The key of this row is missing, or is somebody else's.",
    "key_broken": "This key does not open: it was changed, or the master key is not the one it was closed with.",
    "session_forged": "Nobody signed in like this: this session was added or changed past the system.",
    "search_differs": "What people are searched by differs from what is stored: somebody could not be found. `shuibo db reindex` makes it anew.",
    "row_forged": "No event ever wrote this row: it was added past the system.",
}


@pages.app_template_filter("fault")
def fault_text(fault) -> str:
    """What is wrong, in the reader's language."""
    return fault.message if in_chinese() else FAULTS.get(fault.code, fault.message)


@pages.get("/")
def index():
    """What can be proved here."""
    return _page()


@pages.post("/verify")
def verify():
    """Walk the whole history now and compare it with the tables."""
    began, counted, found = time.monotonic(), [0], []
    for fault in faults_of(session(), lambda done, _total: counted.__setitem__(0, done), system().vault):
        found.append(fault)
        if len(found) >= SHOWN:
            break
    return _page(faults=found, events=counted[0], seconds=time.monotonic() - began, limit=SHOWN)


@pages.get("/access")
def access():
    """One person's access stream: signing in, looking, being refused."""
    who = request.args.get("who", "").strip()
    person, lines = None, []
    if who:
        try:
            person = organisation.actor_of(session(), system().vault, who, system().county_id)
        except NotFound:
            pass
    if person:
        stream = audit.stream("access", person.person_id)
        head = session().scalar(select(audit.Stream.seq).where(audit.Stream.id == stream)) or 0
        events = audit.events(session(), stream, max(0, head - SHOWN))[::-1]
        opened = {event.key_id for event in events if event.kind == audit.Kind.CLIENT_VIEWED}  # why somebody looked; nothing else is opened
        keys = {key.id: key for key in session().scalars(select(SubjectKey).where(SubjectKey.id.in_(opened - {None})))}
        lines = [audit.as_line(system().vault, event, keys.get(event.key_id) if event.key_id in opened else None) for event in events]
    return render_template("audit/access.html", who=who, person=person, lines=lines, told=wording.told)


def _page(**result):
    heads = session().scalars(select(audit.Stream).where(audit.Stream.county_id == actor().county_id).order_by(audit.Stream.seq.desc()).limit(8))
    return render_template("audit/index.html", heads=[(head, *wording.stream_name(head.id)) for head in heads], result=result)
