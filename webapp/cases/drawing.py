"""A version's diagram for the viewer in the browser, and the same procedure as a list of steps where nobody has laid one out."""

import gzip
from collections import deque
from dataclasses import dataclass

from flask import Response, request

from engine import definitions
from engine.definitions import Compiled
from engine.workflow import Element, Kind, Process
from webapp.auth import session, system

SHAPE = b"BPMNShape"  # an element's place on the drawing (BPMN 2.0.2, 12.2.3.3)


@dataclass(frozen=True)
class Drawing:
    """`packed`: the BPMN file, by gzip; `is_drawn`: whether it says where anything stands."""

    packed: bytes
    is_drawn: bool


def drawing_of(version_id: str) -> Drawing:
    """A version's diagram; remembered, as versions do not change. Raises NotFound."""
    known = system().compiled.setdefault("drawings", {})
    if version_id not in known:
        content = definitions.diagram(session(), version_id)
        known[version_id] = Drawing(gzip.compress(content), SHAPE in content)
    return known[version_id]


def send(version_id: str) -> Response:
    """The diagram, packed if the browser unpacks, not at all if it has it: it asks each time, for a right may end."""
    packed = drawing_of(version_id).packed
    unpacks = "gzip" in request.headers.get("Accept-Encoding", "")
    response = Response(packed if unpacks else gzip.decompress(packed), mimetype="application/xml")
    if unpacks:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(f"{version_id}{'-gz' if unpacks else ''}")
    return response.make_conditional(request)


def steps_of(compiled: Compiled) -> list[Element]:
    """What there is to do, in the order in which the arrows lead there; what none leads to (event subprocesses) comes last."""
    process = compiled.process
    begins: dict[str, list[str]] = {}  # by subprocess: what in it no arrow leads to
    for element in process.elements.values():
        if element.parent and not element.incoming and element.kind is not Kind.BOUNDARY:
            begins.setdefault(element.parent, []).append(element.id)
    seen: dict[str, Element] = {}
    for start in (*process.start_events, *process.elements):
        _walk(process, start, begins, seen)
    return [element for element in seen.values() if element.kind.is_activity]


def _walk(process: Process, start: str, begins: dict[str, list[str]], seen: dict[str, Element]) -> None:
    """Note the element and what follows from it, the nearest first; the inside of a subprocess before what comes after it."""
    waiting = deque([start])
    while waiting:
        element = process.elements[waiting.popleft()]
        if element.id in seen:
            continue
        seen[element.id] = element
        for inner in begins.get(element.id, ()):
            _walk(process, inner, begins, seen)
        waiting += [*element.boundary, *(flow.target for flow in element.outgoing)]
