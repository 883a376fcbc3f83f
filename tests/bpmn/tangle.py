"""Random diagrams without structure: arrows go anywhere. They may deadlock, pile up tokens or run in circles; some cannot be deployed."""

from random import Random

from tests.bpmn.builder import Diagram
from tests.bpmn.generate import CODES, HAPPENINGS, SIGNALS, VARIABLES, calculation, comparison, loop_of

TERMINATE = "<bpmn:terminateEventDefinition/>"
KINDS = [*["user"] * 3, "task", "script", "catch", "catch", "service", "receive", "throw", "link", "many", "race"]
KINDS += ["exclusive", "exclusive", "parallel", "parallel", "inclusive", "inclusive"]
HOSTS = ("userTask", "subProcess", "serviceTask", "receiveTask")


def tangle(random: Random, size: int) -> Diagram:
    """A whole process."""
    diagram = Diagram("random")
    _scope(diagram, random, size, "", None)
    _drop_unreachable(diagram)
    return diagram


def _drop_unreachable(diagram: Diagram) -> None:
    reached: set[str] = set()
    pending = [name for name, node in diagram.nodes.items() if node.scope is None and _is_entry(node)]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += [arrow.target for arrow in diagram.arrows.values() if arrow.source == name]
            pending += [n.id for n in diagram.nodes.values() if n.attributes.get("attachedToRef") == name]
            pending += [n.id for n in diagram.nodes.values() if n.scope == name and _is_entry(n)]
            pending += [f"{name}_to"] if f"{name}_to" in diagram.nodes else []
    diagram.nodes = {name: node for name, node in diagram.nodes.items() if name in reached}
    diagram.arrows = {name: arrow for name, arrow in diagram.arrows.items() if arrow.source in reached}


def _is_entry(node) -> bool:
    return node.tag == "startEvent" or "triggeredByEvent" in node.attributes


def _scope(diagram: Diagram, random: Random, size: int, prefix: str, scope: str | None) -> None:
    diagram.scope = scope
    kinds = [*KINDS, "end", "end", *([] if prefix else ["sub", "sub"])]
    diagram.add("startEvent", f"{prefix}start")
    names = []
    for number in range(size):
        kind = random.choice(kinds)
        names.append(f"{prefix}{kind[0]}{number}")
        _node(diagram, random, kind, names[-1])
    diagram.add("endEvent", f"{prefix}end")
    events = []
    for name in names:
        if diagram.nodes[name].tag in HOSTS and random.random() < 0.4:
            events += _border(diagram, random, name)
    _flows(diagram, random, names, events, f"{prefix}start", f"{prefix}end")
    for name in [name for name in names if diagram.nodes[name].tag == "subProcess"]:
        _scope(diagram, random, random.randint(1, 4), f"{name}_", name)
    diagram.scope = scope
    for number, trigger in enumerate(random.sample([*HAPPENINGS, "error", "escalation"], random.choice([0, 0, 1, 2]))):
        _watcher(diagram, random, f"{prefix}w{number}", trigger)
    diagram.scope = None


def _node(diagram: Diagram, random: Random, kind: str, name: str) -> None:
    match kind:
        case "user":
            diagram.user(name)
        case "task":
            diagram.add("task", name)
        case "script":
            diagram.script(name, random.choice(VARIABLES), calculation(random))
        case "service":
            diagram.service(name, "work")
        case "receive":
            diagram.receive(name, f"m{name}", '"key"')
        case "catch":
            _catching(diagram, random, "intermediateCatchEvent", random.choice(HAPPENINGS), name)
        case "throw":
            trigger = random.choice(["message", "signal", "escalation"])
            diagram.event("intermediateThrowEvent", name, trigger, _thrown(random, trigger))
        case "link":
            diagram.event("intermediateThrowEvent", name, "link", name)
            diagram.event("intermediateCatchEvent", f"{name}_to", "link", name)
        case "many":
            _many(diagram, random, name)
        case "race":
            diagram.add("eventBasedGateway", name)
            for trigger in random.sample(HAPPENINGS, 2):
                diagram.flow(name, _catching(diagram, random, "intermediateCatchEvent", trigger, f"{name}{trigger[0]}"))
        case "end":
            _end(diagram, random, name)
        case "sub":
            diagram.add("subProcess", name)
        case _:
            diagram.add(f"{kind}Gateway", name)


def _thrown(random: Random, trigger: str) -> str:
    return {"message": "news", "signal": random.choice(SIGNALS)}.get(trigger) or random.choice(CODES)


def _catching(diagram: Diagram, random: Random, tag: str, trigger: str, name: str, **parts: str) -> str:
    if trigger == "timer":
        return diagram.timer(tag, name, "Duration", "PT8H", **parts)
    what = {"message": f"m{name}", "signal": random.choice(SIGNALS), "conditional": comparison(random)}.get(trigger)
    what = what or random.choice([None, *CODES])
    return diagram.event(tag, name, trigger, what, '"key"' if trigger == "message" else None, **parts)


def _many(diagram: Diagram, random: Random, name: str) -> None:
    diagram.user(name)
    if random.random() < 0.4:
        loop_of(diagram, random, name)
    else:
        until = random.choice(["", comparison(random), "numberOfCompletedInstances > 0"])
        diagram.many(name, "[n1, null, 3]", "item", (f"k{name}", "[item, n2]"), until, sequential=random.random() < 0.5)


def _end(diagram: Diagram, random: Random, name: str) -> None:
    trigger = random.choice([None, "terminate", "error", "escalation", "signal", "message"])
    if trigger in (None, "terminate"):
        diagram.add("endEvent", name, inner=TERMINATE if trigger else "")
    else:
        diagram.event("endEvent", name, trigger, _thrown(random, trigger))


def _border(diagram: Diagram, random: Random, host: str) -> list[str]:
    """One or two events on the border of `host`."""
    tag, made = diagram.nodes[host].tag, []
    possible = [*HAPPENINGS, *(["error"] if tag in ("subProcess", "serviceTask") else []), *(["escalation"] if tag == "subProcess" else [])]
    for trigger in random.sample(possible, random.choice([1, 1, 2])):
        cancels = "true" if trigger == "error" else random.choice(["true", "false"])
        made.append(
            _catching(diagram, random, "boundaryEvent", trigger, f"{host}b{trigger[:2]}", attachedToRef=host, cancelActivity=cancels)
        )
    return made


def _watcher(diagram: Diagram, random: Random, name: str, trigger: str) -> None:
    """An event subprocess with one task, and perhaps something thrown at its end."""
    with diagram.watcher(name):
        interrupts = "true" if trigger == "error" else random.choice(["true", "false"])
        _catching(diagram, random, "startEvent", trigger, f"{name}s", isInterrupting=interrupts)
        diagram.user(f"{name}u")
        _end(diagram, random, f"{name}e")
        diagram.path(f"{name}s", f"{name}u", f"{name}e")


def _flows(diagram: Diagram, random: Random, names: list[str], events: list[str], start: str, end: str) -> None:
    diagram.flow(start, names[0])
    for index, name in enumerate(names):
        tag = diagram.nodes[name].tag
        targets = [*names[1:], *names[index + 1 :] * 3, end, end]
        if tag == "eventBasedGateway":
            for event in [arrow.target for arrow in diagram.arrows.values() if arrow.source == name]:
                diagram.flow(event, random.choice(targets))
        elif f"{name}_to" in diagram.nodes:
            diagram.flow(f"{name}_to", random.choice(targets))
        elif tag != "endEvent":
            _ways(diagram, random, name, names[index + 1] if index + 1 < len(names) else None, targets)
    for event in events:
        diagram.flow(event, random.choice([*names[1:], end]))


def _ways(diagram: Diagram, random: Random, name: str, following: str | None, targets: list[str]) -> None:
    tag = diagram.nodes[name].tag
    count = random.choice([1, 1, 2, 3]) if tag.endswith("Gateway") else random.choice([1, 1, 1, 1, 2])
    decides = tag in ("exclusiveGateway", "inclusiveGateway")
    asks = count > 1 and (decides or tag.endswith(("Task", "task", "subProcess")) and random.random() < 0.5)
    # Now and then there is no default, so that no way may be open.
    has_default = random.random() < (0.9 if decides else 0.5)
    for branch in range(count):
        target = following if branch == 0 and following else random.choice(targets)
        default = asks and branch == 0 and has_default
        free = not decides and branch == 0 and not has_default
        diagram.flow(name, target, comparison(random) if asks and not default and not free else None, default=default)
