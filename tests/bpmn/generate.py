"""Random diagrams: block-structured ones, which always end, and unstructured ones, which may do anything BPMN allows."""

from random import Random

from tests.bpmn.builder import Diagram

VARIABLES = ("n1", "n2", "n3")
TERMINATE = "<bpmn:terminateEventDefinition/>"


class Blocks:
    """Blocks inside blocks, each with one way in and one way out. `plain`: only what SpiffWorkflow does right."""

    def __init__(self, random: Random, size: int, plain: bool = False):
        self.random, self.budget, self.plain = random, size, plain
        self.diagram = Diagram("random")
        self.count = 0

    def make(self) -> Diagram:
        """A whole process."""
        self._scope()
        return self.diagram

    def _scope(self) -> None:
        start, end = self._node("startEvent"), self._node("endEvent")
        first, last = self._row()
        self.diagram.path(start, first)
        self.diagram.path(last, end)

    def _row(self) -> tuple[str, str]:
        first, last = self._block()
        while self.budget > 0 and self.random.random() < 0.5:
            following, new_last = self._block()
            self.diagram.path(last, following)
            last = new_last
        return first, last

    def _block(self) -> tuple[str, str]:
        self.budget -= 1
        kinds = [self._user] * 3 if self.budget <= 0 else [self._user, self._split, self._split, self._split, self._sub]
        if not self.plain:
            kinds += [self._script, self._pause] if self.budget <= 0 else [self._script, self._loop, self._deadline]
        return self.random.choice(kinds)()

    def _node(self, tag: str, **parts) -> str:
        self.count += 1
        return self.diagram.add(tag, f"{tag[0]}{self.count}", **parts)

    def _user(self) -> tuple[str, str]:
        self.count += 1
        name = self.diagram.user(f"u{self.count}")
        return name, name

    def _script(self) -> tuple[str, str]:
        self.count += 1
        name = self.diagram.script(f"x{self.count}", self.random.choice(VARIABLES), calculation(self.random))
        return name, name

    def _pause(self) -> tuple[str, str]:
        self.count += 1
        name = self.diagram.timer("intermediateCatchEvent", f"c{self.count}", "Duration", f"PT{self.random.randint(1, 9)}H")
        return name, name

    def _split(self) -> tuple[str, str]:
        kind = self.random.choice(["exclusiveGateway", "parallelGateway", "inclusiveGateway"])
        split, join = self._node(kind), self._node(kind)
        width = self.random.randint(2, 3)
        for branch in range(width):
            first, last = self._row()
            condition = comparison(self.random) if kind != "parallelGateway" and branch else None
            self.diagram.flow(split, first, condition, default=kind != "parallelGateway" and not branch)
            self.diagram.flow(last, join)
        return split, join

    def _loop(self) -> tuple[str, str]:
        back, more = self._node("exclusiveGateway"), self._node("exclusiveGateway")
        first, last = self._row()
        self.count += 1
        # Counts down, so that every loop ends.
        counter = self.diagram.script(f"x{self.count}", f"k{self.count}", f"k{self.count} - 1")
        self.diagram.path(back, first)
        self.diagram.path(last, counter, more)
        out, _ = self._user()
        self.diagram.flow(more, back, f"k{self.count - 1} > 0")
        self.diagram.flow(more, out, default=True)
        return back, out

    def _sub(self) -> tuple[str, str]:
        name = self._node("subProcess")
        outer, self.diagram.scope = self.diagram.scope, name
        self._scope()
        self.diagram.scope = outer
        return name, name

    def _deadline(self) -> tuple[str, str]:
        host, _ = self.random.choice([self._user, self._sub])()
        self.count += 1
        cancels = self.random.choice(["true", "false"])
        event = self.diagram.timer("boundaryEvent", f"b{self.count}", "Duration", "PT8H", attachedToRef=host, cancelActivity=cancels)
        if cancels == "true":
            merge, (other, _) = self._node("exclusiveGateway"), self._user()
            self.diagram.path(event, other, merge)
            self.diagram.path(host, merge)
            return host, merge
        task, _ = self._user()
        self.diagram.path(event, task, self._node("endEvent"))
        return host, host


def tangle(random: Random, size: int) -> Diagram:
    """An unstructured diagram: arrows go anywhere. It may deadlock, pile up tokens or run in circles; it may not even be deployable."""
    diagram = Diagram("random")
    _tangled_scope(diagram, random, size, "", None)
    _drop_unreachable(diagram)
    return diagram


def _drop_unreachable(diagram: Diagram) -> None:
    reached: set[str] = set()
    pending = [name for name, node in diagram.nodes.items() if node.tag == "startEvent" and node.scope is None]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += [arrow.target for arrow in diagram.arrows.values() if arrow.source == name]
            pending += [n.id for n in diagram.nodes.values() if n.attributes.get("attachedToRef") == name]
            pending += [n.id for n in diagram.nodes.values() if n.scope == name and n.tag == "startEvent"]
    diagram.nodes = {name: node for name, node in diagram.nodes.items() if name in reached}
    diagram.arrows = {name: arrow for name, arrow in diagram.arrows.items() if arrow.source in reached}


def _tangled_scope(diagram: Diagram, random: Random, size: int, prefix: str, scope: str | None) -> None:
    diagram.scope = scope
    kinds = ["user", "user", "user", "task", "script", "catch", "exclusive", "exclusive", "parallel", "parallel", "inclusive", "inclusive", "sub", "end"]
    diagram.add("startEvent", f"{prefix}start")
    names, subs = [], []
    for number in range(size):
        kind = random.choice(kinds if not prefix else kinds[:-2])
        name = f"{prefix}{kind[0]}{number}"
        names.append(name)
        if kind == "sub":
            diagram.add("subProcess", name)
            subs.append(name)
        elif kind == "end":
            diagram.add("endEvent", name, inner=TERMINATE if random.random() < 0.3 else "")
        else:
            _tangled_node(diagram, random, kind, name)
    diagram.add("endEvent", f"{prefix}end")
    hosts = [name for name in names if diagram.nodes[name].tag in ("userTask", "subProcess")]
    events = []
    for name in hosts:
        if random.random() < 0.25:
            cancels = random.choice(["true", "false"])
            events.append(diagram.timer("boundaryEvent", f"{name}b", "Duration", "PT8H", attachedToRef=name, cancelActivity=cancels))
    _tangled_flows(diagram, random, names, events, f"{prefix}start", f"{prefix}end")
    for name in subs:
        _tangled_scope(diagram, random, random.randint(1, 4), f"{name}_", name)


def _tangled_node(diagram: Diagram, random: Random, kind: str, name: str) -> None:
    match kind:
        case "user":
            diagram.user(name)
        case "task":
            diagram.add("task", name)
        case "script":
            diagram.script(name, random.choice(VARIABLES), calculation(random))
        case "catch":
            diagram.timer("intermediateCatchEvent", name, "Duration", "PT1H")
        case _:
            diagram.add(f"{kind}Gateway", name)


def _tangled_flows(diagram: Diagram, random: Random, names: list[str], events: list[str], start: str, end: str) -> None:
    diagram.flow(start, names[0])
    for index, name in enumerate(names):
        tag = diagram.nodes[name].tag
        if tag == "endEvent":
            continue
        targets = [*names[1:], *names[index + 1 :] * 3, end, end]
        count = random.choice([1, 1, 2, 3]) if tag.endswith("Gateway") else random.choice([1, 1, 1, 1, 2])
        for branch in range(count):
            target = names[index + 1] if branch == 0 and index + 1 < len(names) else random.choice(targets)
            conditional = tag in ("exclusiveGateway", "inclusiveGateway") and count > 1
            # Now and then there is no default, so that no way may be open.
            default = conditional and branch == 0 and random.random() < 0.9
            diagram.flow(name, target, comparison(random) if conditional and not default else None, default=default)
    for event in events:
        diagram.flow(event, random.choice([*names[1:], end]))


def comparison(random: Random) -> str:
    """A condition that the oracle can read too."""
    return f"{random.choice(VARIABLES)} {random.choice('<>')} {random.randint(0, 6)}"


def calculation(random: Random) -> str:
    """An expression that the oracle can read too. It adds little: numbers doubled in a circle would leave FEEL's 34 digits."""
    return f"{random.choice(VARIABLES)} {random.choice('+-')} {random.randint(0, 2)}"
