"""An independent reading of BPMN 2.0.2 for the tests: a transition system in which an engine's trace must be possible.

It shares no code with the engine. Where a step could have been made in several ways, all are kept; the trace is wrong when none is left.
Sources: BPMN 2.0.2, 13.3 (activities), 13.4.1 to 13.4.3 (gateways).
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from tests.bpmn.happenings import Happenings, Impossible, without
from tests.bpmn.net import Node, value
from tests.bpmn.worlds import At, Found, Place, Rounds, Spot, World, all_marks, everything, remark, spots

STAYS = {"userTask", "serviceTask"}  # until somebody says that it is done


class Oracle(Happenings):
    """Elements begin, are done in rounds, end and rest."""

    # --- elements -----------------------------------------------------------------------------------------------------------

    def enter(self, element: str, label: int, round_: int = 0) -> None:
        """`element` began, or one round of it; from now on it is called `label`."""
        rule = self._round_begun if round_ else self._entered
        self._step(f"enter {element} {round_ or ''}", lambda world: rule(world, self.net.nodes[element], label, round_), owing=not round_)

    def _entered(self, world: World, node: Node, label: int, round_: int) -> Iterator[World]:
        owes = world.owing and self._owes(world)  # then only what has just heard a signal begins
        for spot in spots(world.root):
            if spot.scope == node.scope and not node.many:
                for taken in self._triggers(spot.place, node):
                    if owes and taken[0][0] != "*":
                        continue
                    yield world._replace(root=self._begun(spot, node, label, taken, self._inside(node, taken[0])))

    def _begun(self, spot: Spot, node: Node, label: int, taken: list[str], inner) -> Place:
        marks = frozenset()
        if taken[0][0] == "*" and not node.is_watcher:
            brought = int(taken[0].partition("~")[2])
            marks = frozenset({("happened",)} | ({("brought", brought)} if brought else set()))
        flows = list(spot.place.flows)
        for flow in taken:
            flows.remove(flow)
        at = tuple(sorted((*spot.place.at, At(node.id, inner, marks, 0, label)), key=repr))
        return spot.put(spot.place._replace(flows=tuple(flows), at=at))

    def _inside(self, node: Node, token: str = "") -> Place | None:
        if node.tag != "subProcess":
            return None
        return Place((f"*{node.start}~{token.partition('~')[2]}" if node.is_watcher else f"!{node.start}",))

    def _triggers(self, place: Place, node: Node) -> list[list[str]]:
        """The sets of tokens that would start `node` now."""
        filled = [flow for flow in node.into if flow in place.flows]
        called = [flow for flow in place.flows if flow[0] in "!*" and flow[1:].partition("~")[0] == node.id]
        if called:
            return [[flow] for flow in dict.fromkeys(called)]
        if node.tag == "parallelGateway":
            return [filled] if filled and len(filled) == len(node.into) else []
        if node.tag == "inclusiveGateway":
            return [filled] if filled and self._may_merge(place, node, set(filled)) else []
        return [[flow] for flow in filled]

    def _may_merge(self, place: Place, gateway: Node, filled: set[str]) -> bool:
        """13.4.3, to the letter. A token in an activity may still leave by its flows, or by those of the events on its border."""
        starts = [[flow] for flow in place.flows if flow[0] not in "!*"]
        starts += [self.net.out_of(flow[1:].partition("~")[0]) for flow in place.flows if flow[0] in "!*"]
        starts += [self.net.out_of(at.element) for at in place.at]
        for flows in starts:
            arrives = self._paths(flows, gateway)
            if arrives - filled and not arrives & filled:
                return False
        return True

    def _paths(self, flows: Iterable[str], gateway: Node) -> set[str]:
        """Incoming flows of `gateway` at which a path that starts with one of `flows` ends without visiting it before."""
        seen: set[str] = set()
        pending = list(flows)
        while pending:
            flow = pending.pop()
            if flow not in seen:
                seen.add(flow)
                if self.net.target[flow] != gateway.id:
                    pending += self.net.out_of(self.net.target[flow])
        return seen & set(gateway.into)

    def leave(self, element: str, label: int, flows: list[str]) -> None:
        """`element` ended and tokens went out on `flows`."""
        node = self.net.nodes[element]
        owing = node.tag == "eventBasedGateway"  # one that has just heard a signal
        self._step(f"leave {element} by {flows}", lambda world: self._left(world, node, label, flows), owing)

    def _left(self, world: World, node: Node, label: int, flows: list[str]) -> Iterator[World]:
        for found in everything(world.root):
            at = found.at
            if (at.element, at.label) != (node.id, label) or isinstance(at.inner, Rounds) or not self._is_done(at, node):
                continue
            if found.body:
                if not flows:
                    yield from self._round_done(world, found, node)
            elif won := [mark for mark in at.marks if mark[0] == "won"]:
                [(_, event, brought)] = won
                if [self.net.target[flow] for flow in flows] == [event]:
                    yield world._replace(root=without(found, f"*{event}~{brought}"))
            elif self._ways(node, world.values) == sorted(flows):
                yield world._replace(root=self._gone(found, node, flows))

    def _is_done(self, at: At, node: Node) -> bool:
        if isinstance(at.inner, Place):
            return at.inner.is_empty
        if any(mark[0] == "brought" for mark in at.marks) or (node.trigger == "error" and node.tag == "endEvent"):
            return False
        if node.tag == "eventBasedGateway":
            return any(mark[0] == "won" for mark in at.marks)
        return ("happened",) in at.marks or not node.catches and (not node.throws or ("thrown",) in at.marks)

    def _gone(self, found: Found, node: Node, flows: list[str]) -> Place:
        if node.trigger == "terminate":
            return found.spot.put(Place(marks=found.spot.place.marks))
        return without(found, *flows, *([f"*{node.link}~0"] if node.link else []))

    def _ways(self, node: Node, variables: dict) -> list[str] | None:
        """The flows by which a token leaves, sorted; None when it cannot."""
        conditional = [flow for flow in node.out if flow in self.net.condition]
        decides = node.tag in ("exclusiveGateway", "inclusiveGateway")
        if not conditional and not (decides and node.default):
            return sorted(node.out)
        free = [] if decides else [flow for flow in node.out if flow not in conditional and flow != node.default]
        true = [flow for flow in conditional if value(self.net.condition[flow], variables)]
        taken = true[:1] if node.tag == "exclusiveGateway" else true
        if not taken and node.default:
            taken = [node.default]
        return sorted([*free, *taken]) or None

    # --- rounds -------------------------------------------------------------------------------------------------------------

    def begin(self, element: str, label: int) -> None:
        """An activity that is done more than once has been reached."""
        self._step(f"begin {element}", lambda world: self._body_begun(world, self.net.nodes[element], label))

    def _body_begun(self, world: World, node: Node, label: int) -> Iterator[World]:
        items = value(node.many.collection, world.values) if node.many.collection else ()
        total = len(items) if node.many.collection else None
        body = Rounds(total, items, results=(None,) * len(items), state="" if node.many.collection else "undecided")
        for spot in spots(world.root):
            if spot.scope == node.scope:
                for taken in self._triggers(spot.place, node):
                    yield world._replace(root=self._begun(spot, node, label, taken, body))

    def _bodies(self, world: World, node: Node) -> Iterator[tuple[Found, Rounds]]:
        for found in everything(world.root):
            if found.at.element == node.id and isinstance(found.at.inner, Rounds):
                yield found, found.at.inner

    def _round_begun(self, world: World, node: Node, label: int, round_: int) -> Iterator[World]:
        for found, body in self._bodies(world, node):
            may = body.state == "again" if body.total is None else body.state == "" and body.begun < body.total
            if may and round_ == body.begun + 1 and not (node.many.sequential and body.at):
                one = At(node.id, self._inside(node), round=round_, label=label)
                at = tuple(sorted((*body.at, one), key=repr))
                yield world._replace(root=found.put(found.at._replace(inner=body._replace(begun=round_, at=at, state=""))))

    def _round_done(self, world: World, found: Found, node: Node) -> Iterator[World]:
        body, round_ = found.body.inner, found.at.round
        if body.state == "undecided":
            return  # after each that ends it is asked whether that was enough
        results, at = list(body.results), list(body.at)
        if node.many.output:
            item = {node.many.item: body.items[round_ - 1]} if node.many.item else {}
            results[round_ - 1] = value(node.many.output[1], world.values | item | {"loopCounter": round_})
        at.remove(found.at)
        asks = body.total is None or node.many.until
        after = body._replace(done=body.done + 1, results=tuple(results), at=tuple(at), state="undecided" if asks else "")
        yield world._replace(root=found.spot.replacing(found.body, found.body._replace(inner=after)))

    def decide(self, element: str, label: int, done: int, over: bool) -> None:
        """After a round: whether it is `over`."""
        self._step(f"decide {element}: {done} {over}", lambda world: self._decided(world, self.net.nodes[element], label, done, over))

    def _decided(self, world: World, node: Node, label: int, done: int, over: bool) -> Iterator[World]:
        for found, body in self._bodies(world, node):
            if found.at.label == label and body.state == "undecided" and body.done == done and self._is_over(world, node, body) == over:
                after = body._replace(state="over", at=()) if over else body._replace(state="again" if body.total is None else "")
                yield world._replace(root=found.put(found.at._replace(inner=after)))

    def _is_over(self, world: World, node: Node, body: Rounds) -> bool:
        rule, seen = node.many, world.values
        if body.total is None:
            most, asked = rule.at_most, body.done or rule.asks_first
            return (most is not None and body.done >= most) or bool(
                asked and rule.again and not value(rule.again, seen | {"loopCounter": body.done})
            )
        counts = {"Instances": body.total, "ActiveInstances": len(body.at), "CompletedInstances": body.done}
        return value(rule.until, seen | {f"numberOf{name}": count for name, count in counts.items()})

    def finish(self, element: str, label: int, flows: list[str]) -> None:
        """All rounds are over."""
        self._step(f"finish {element}", lambda world: self._finished(world, self.net.nodes[element], label, flows))

    def _finished(self, world: World, node: Node, label: int, flows: list[str]) -> Iterator[World]:
        for found, body in self._bodies(world, node):
            if found.at.label != label or body.at or not (body.state == "over" or body.state == "" and body.done == body.total):
                continue
            after = world.writing(**{node.many.output[0]: body.results}) if node.many.output else world
            if self._ways(node, after.values) == sorted(flows):
                yield after._replace(root=without(found, *flows))

    # --- at rest ------------------------------------------------------------------------------------------------------------

    def rest(self, ended: bool, stuck: set[str], waiting: Counter | None = None) -> None:
        """The engine says it rests (or has `ended`): some world must agree. `stuck`: elements with an incident; `waiting`: how often each
        task is open and each event is waited for."""
        self._step("rest", lambda world: [world])
        if ended:
            resting = {world for world in self.worlds if world.root.is_empty}
        else:
            resting = {self._settled(world) for world in self.worlds if not world.root.is_empty and self._rests(world, stuck)}
        if waiting is not None and not ended:
            resting = {world for world in resting if self._open(world) == waiting}
        if not resting:
            raise Impossible(f"this is no rest: ended={ended}, stuck={stuck}, waiting={waiting}, {sorted(self.worlds, key=repr)[:2]}")
        self.worlds = resting

    def _rests(self, world: World, stuck: set[str]) -> bool:
        for spot in spots(world.root):
            if spot.host and spot.host.element in stuck:
                continue
            if spot.outer and spot.place.is_empty or any(self._triggers(spot.place, node) for node in self._about(spot.place)):
                return False
            starts = [self.net.nodes[name].start for name in self.net.nodes[spot.scope].watchers]
            if ("interrupted",) not in spot.place.marks and not self._all_armed(world, starts, spot.place.marks):
                return False
        return all(found.at.element in stuck or self._stays(world, found) for found in everything(world.root))

    def _about(self, place: Place) -> Iterator[Node]:
        for flow in place.flows:
            yield self.net.nodes[flow[1:].partition("~")[0] if flow[0] in "!*" else self.net.target[flow]]

    def _stays(self, world: World, found: Found) -> bool:
        at, node = found.at, self.net.nodes[found.at.element]
        if found.body is None and not self._all_armed(world, node.border, at.marks):
            return False
        if isinstance(at.inner, Rounds):
            body = at.inner
            full = bool(body.at) if node.many.sequential else body.begun == body.total
            return body.state == "" and full and body.done != body.total
        if node.tag == "eventBasedGateway":
            return self._all_armed(world, [self.net.target[flow] for flow in node.out], at.marks)
        if node.catches:
            return ("armed", node.id) in at.marks and self._all_armed(world, [node.id], at.marks)
        return isinstance(at.inner, Place) or node.tag in STAYS

    def _all_armed(self, world: World, events: Iterable[str], marks: frozenset) -> bool:
        for event in events:
            node = self.net.nodes[event]
            if node.trigger in ("error", "escalation"):
                continue
            if ("armed", event) not in marks and not any(mark[:2] == ("fired", event) for mark in marks):
                return False
            seen = ("met", event) in marks or ("maybe", event) in marks
            if node.trigger == "conditional" and not seen and value(node.name, world.values):
                return False
        return True

    def _settled(self, world: World) -> World:
        """What was looked at last is known now."""

        def look(marks: frozenset) -> frozenset:
            known = {m[1]: value(self.net.nodes[m[1]].name, world.values) for m in marks if m[0] in ("met", "maybe")}
            kept = {mark for mark in marks if mark[0] not in ("met", "maybe", "owed")}
            return frozenset(kept | {("met", event) for event, holds in known.items() if holds})

        return world._replace(root=remark(world.root, look), owing=False)

    def _open(self, world: World) -> Counter:
        tasks = Counter(found.at.element for found in everything(world.root) if self._is_open(found.at))
        return tasks + Counter(mark[1] for mark in all_marks(world.root) if mark[0] == "armed")

    def _is_open(self, at: At) -> bool:
        return self.net.nodes[at.element].tag in STAYS and not isinstance(at.inner, Rounds)
