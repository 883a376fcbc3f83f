"""Which procedures call which: a ring of calls would never end, a call of nothing stops its case."""

from collections.abc import Mapping, Sequence

from engine import definitions
from engine.commands import Act
from engine.exceptions import DeployRefused, NotFound, NotPublished
from engine.findings import Finding
from engine.workflow import Process


def check(act: Act, processes: Sequence[Process]) -> list[Finding]:
    """Warnings about calls of what is not published. Only calls by a fixed id are known beforehand; the others are bounded while running.

    Raises DeployRefused, naming the ring, when one of the processes calls itself through bundle and published versions.
    """
    known: dict[str, Process | None] = {process.id: process for process in processes}
    warnings, faults = [], []
    for process in processes:
        for element, target in process.called_ids.items():
            if _find(act, known, target) is None:
                message = f"被调用的流程“{target}”还没有发布；发布之前，走到这里的个案会停在故障上"
                english = f"The called procedure {target} is not published; until it is, cases stop here with an incident"
                warnings.append(Finding("call_unknown", message, english, element=element, severity="warning"))
        if ring := _ring(act, known, process.id):
            shown = " → ".join(ring)
            message = (f"流程调用成环，永远结束不了：{shown}", f"The calls go round in a ring and never end: {shown}")
            element = next(element for element, target in process.called_ids.items() if target == ring[1])
            faults.append(Finding("call_ring", *message, element=element))
    if faults:
        raise DeployRefused(faults)
    return warnings


def _ring(act: Act, known: dict[str, Process | None], start: str) -> list[str] | None:
    """The way of calls by which a process comes back to itself."""
    pending, seen = [[start]], set()
    while pending:
        way = pending.pop()
        process = _find(act, known, way[-1])
        for target in (process.called_ids if process else _NOTHING).values():
            if target == start:
                return [*way, target]
            if target not in seen:
                seen.add(target)
                pending.append([*way, target])
    return None


_NOTHING: Mapping[str, str] = {}


def _find(act: Act, known: dict[str, Process | None], key: str) -> Process | None:
    if key not in known:
        try:
            known[key] = definitions.published(act.system, act.session, key).process
        except (NotFound, NotPublished):
            known[key] = None
    return known[key]
