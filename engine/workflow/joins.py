"""When a gateway that joins may fire: pure functions over the tokens that have arrived.

Parallel: one token on every incoming flow; more than one on a flow stays for the next round.
Inclusive: BPMN 2.0.2, 13.4.3. It fires with the tokens it has unless a token elsewhere in its scope could still arrive at an incoming
flow that is empty - except by a token that could as well arrive at one that is filled (else two joins in a loop would wait for each other).
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.workflow.model import Element, Process

Reach = Mapping[str, frozenset[str]]  # element id → ids of the join's incoming flows it leads to without passing the join


class Reaches(dict):
    """Join id → `Reach`. Two threads may both work out the same entry; they get the same."""

    def __init__(self, process: "Process"):
        super().__init__()
        self._process = process

    def __missing__(self, join: str) -> Reach:
        self[join] = found = reach(self._process, self._process.elements[join])
        return found


def parallel_ready(join: "Element", arrived: Mapping[str, int]) -> bool:
    """Whether every incoming flow has a token."""
    return all(arrived.get(flow.id) for flow in join.incoming)


def hopeless(join: "Element", arrived: Mapping[str, int], reach: Reach, others: Iterable[str], needs_all: bool) -> bool:
    """Whether a join that waits will wait for ever: one that needs all its flows, since to an empty one no token leads; an inclusive one,
    since it waits for other joins only, which wait for it.

    `others`: the elements of the same scope where tokens are, but not those that wait before other joins: who makes such a join fire leads
    here as well.
    """
    coming = frozenset().union(*(reach.get(element, ()) for element in others))
    leads = [flow.id in coming for flow in join.incoming if not arrived.get(flow.id)]
    return not (all(leads) if needs_all else any(leads))


def inclusive_ready(join: "Element", arrived: Mapping[str, int], reach: Reach, others: Iterable[str]) -> bool:
    """`others`: the elements of the same scope where other tokens are (also those waiting before other joins)."""
    filled = {flow.id for flow in join.incoming if arrived.get(flow.id)}
    if not filled:
        return False
    return not any(ways and not ways & filled for ways in (reach.get(element, frozenset()) for element in others))


def reach(process: "Process", join: "Element") -> Reach:
    """Follow the flows and links backwards from each incoming flow. A boundary event is reached from its host: a token may leave there."""
    ways: dict[str, set[str]] = {}
    for flow in join.incoming:
        pending, seen = [flow.source], set()
        while pending:
            element = process.elements[pending.pop()]
            if element.id in seen:
                continue
            seen.add(element.id)
            ways.setdefault(element.id, set()).add(flow.id)
            if element.id != join.id:
                pending.extend(arrow.source for arrow in element.incoming)
                pending.extend(process.leading_to(element))
    return {element: frozenset(flows) for element, flows in ways.items()}
