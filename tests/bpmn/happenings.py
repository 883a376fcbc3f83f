"""What happens to elements from outside, and what they throw, as the oracle sees it (BPMN 2.0.2, 10.5.6 and 13.5)."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from tests.bpmn.net import Net, Node, value
from tests.bpmn.worlds import Found, Place, Rounds, Spot, World, all_marks, everything, remark, spots

MOST = 400  # worlds


class Impossible(AssertionError):
    """The engine did what BPMN does not allow."""


class Unclear(Exception):
    """Too many worlds are left to tell."""


class Happenings:
    """All worlds a trace can have led to. `brought`: what happenings brought, by number; 0 is nothing.

    `label` is what the trace calls an element at work, 1 the case.
    """

    def __init__(self, xml: bytes, variables: dict):
        self.net = Net(xml)
        self.brought: list[dict] = [{}]
        root = Place((f"!{self.net.nodes[''].start}",))
        self.worlds: set[World] = {World((), root).writing(**variables)}

    @property
    def variables(self) -> list[dict]:
        """What the variables may be."""
        return [world.values for world in self.worlds]

    def _step(self, what: str, rule: Callable[[World], Iterable[World]], owing: bool = False) -> None:
        """`owing`: the step may be the hearing of a signal that was just sent."""
        before = [world for world in self.worlds if owing or not world.owing or not self._owes(world)]
        self.worlds = {after for world in before for after in rule(world)}
        if len(self.worlds) > MOST:
            raise Unclear
        if not self.worlds:
            raise Impossible(f"{what}: no world allows this")

    def _owes(self, world: World) -> bool:
        return any(mark[0] == "owed" for mark in all_marks(world.root))

    # --- happenings ---------------------------------------------------------------------------------------------------------

    def wait(self, event: str, label: int) -> None:
        """`event` is being waited for, at or inside what is called `label`."""
        self._step(f"wait for {event}", lambda world: self._armed(world, self.net.nodes[event], label))

    def _armed(self, world: World, node: Node, label: int) -> Iterator[World]:
        for found, spot, marks in self._waiting(world, node, label):
            if ("armed", node.id) not in marks and not any(mark[:2] == ("fired", node.id) for mark in marks):
                yield world._replace(root=self._marked(found, spot, marks | {("armed", node.id)}))

    def _waiting(self, world: World, node: Node, label: int) -> Iterator[tuple[Found | None, Spot, frozenset]]:
        """Where an event is waited for: an element at work, or a place with an event subprocess."""
        if node.tag == "startEvent":
            scope = self.net.nodes[node.scope].scope
            yield from ((None, spot, spot.place.marks) for spot in spots(world.root) if (spot.scope, spot.label) == (scope, label))
            return
        holder = node.attached or self.net.race(node.id) or node.id
        for found in everything(world.root):
            is_over = found.at.marks & {("happened",)} or any(mark[0] == "won" for mark in found.at.marks)
            is_whole = found.body is None if holder == node.attached else not isinstance(found.at.inner, Rounds)
            if (found.at.element, found.at.label) == (holder, label) and not is_over and is_whole:
                yield found, found.spot, found.at.marks

    def _marked(self, found: Found | None, spot: Spot, marks: frozenset) -> Place:
        return found.put(found.at._replace(marks=marks)) if found else spot.put(spot.place._replace(marks=marks))

    def happen(self, event: str, label: int, brought: dict | None = None) -> None:
        """What `event` waits for has come, and brought values."""
        number = len(self.brought) if brought else 0
        self.brought += [brought] if brought else []
        node = self.net.nodes[event]
        self._step(f"{event} happens", lambda world: self._happened(world, node, label, number), owing=node.trigger == "signal")

    def _happened(self, world: World, node: Node, label: int, number: int) -> Iterator[World]:
        for found, spot, marks in self._waiting(world, node, label):
            if ("armed", node.id) not in marks:
                continue
            if node.trigger == "conditional" and (("met", node.id) in marks or not value(node.name, world.values)):
                continue
            if node.trigger == "signal" and world.owing and ("owed", node.id) not in marks:
                continue
            left = self._after_firing(node, marks)
            if found and node.id in (found.at.element, self.net.race(node.id) and node.id):
                mine = {("happened",)} | ({("brought", number)} if number else set())
                fresh = frozenset(mine) if found.at.element == node.id else frozenset({("won", node.id, number)})
                yield world._replace(root=found.put(found.at._replace(marks=fresh)))
            else:
                yield world._replace(root=self._caught(found, spot, node, number, left))

    def _after_firing(self, node: Node, marks: frozenset) -> frozenset:
        left = marks - {("owed", node.id), ("maybe", node.id)}
        if node.trigger == "conditional":
            return left | {("met", node.id)}
        if node.trigger == "timer":
            times = next((mark[2] for mark in marks if mark[:2] == ("fired", node.id)), 0) + 1
            left = frozenset(mark for mark in left if mark[:2] != ("fired", node.id)) | {("fired", node.id, times)}
            return left - {("armed", node.id)} if times >= node.firings else left
        return left

    def _caught(self, host: Found | None, spot: Spot, node: Node, number: int, left: frozenset | None = None) -> Place:
        """An event on a border or of an event subprocess begins, and ends what it interrupts."""
        token = f"*{node.id if host else node.scope}~{number}"
        if not node.interrupts:
            if left is None:
                return spot.put(spot.place.plus(token))
            root = spot.place.plus(token)
            if host is None:
                return spot.put(root._replace(marks=left))
            at = list(root.at)
            at[at.index(host.at)] = host.at._replace(marks=left)
            return spot.put(root._replace(at=tuple(sorted(at, key=repr))))
        if host is None:
            return spot.put(Place((token,), (), frozenset({("interrupted",)})))
        return without(host, token)

    def wrote(self, element: str, label: int, values: dict) -> None:
        """An event wrote what it brought."""
        self._step(f"{element} writes {values}", lambda world: self._written(world, label, values), owing=True)

    def _written(self, world: World, label: int, values: dict) -> Iterator[World]:
        for found in everything(world.root):
            brought = [mark for mark in found.at.marks if mark[0] == "brought"]
            if found.at.label == label and brought and self.brought[brought[0][1]] == values:
                yield self._writing(world._replace(root=found.put(found.at._replace(marks=found.at.marks - set(brought)))), values)

    def write(self, values: dict) -> None:
        """Somebody wrote variables of the case."""
        self._step(f"write {values}", lambda world: [self._writing(world, values)])

    def script(self, element: str) -> None:
        """The script of `element` was evaluated."""
        variable, expression = self.net.nodes[element].script
        self._step(f"script {element}", lambda world: [self._writing(world, {variable: value(expression, world.values)})])

    def _writing(self, world: World, values: dict) -> World:
        """A condition that has become false may be met again; whether anyone looked while it was, nobody knows."""
        after = world.writing(**values)
        false = {mark[1] for mark in all_marks(world.root) if mark[0] == "met" and not value(self.net.nodes[mark[1]].name, after.values)}
        if not false:
            return after
        return after._replace(
            root=remark(after.root, lambda marks: frozenset(("maybe", m[1]) if m[0] == "met" and m[1] in false else m for m in marks))
        )

    # --- throwing -----------------------------------------------------------------------------------------------------------

    def send(self, element: str, label: int) -> None:
        """A message or signal was sent by `element`."""
        node = self.net.nodes[element]
        self._step(f"{element} sends", lambda world: self._thrown(world, label))
        if node.trigger == "signal":
            self.broadcast(node.name)

    def _thrown(self, world: World, label: int, *more: tuple) -> Iterator[World]:
        for found in everything(world.root):
            if found.at.label == label and ("thrown",) not in found.at.marks and not isinstance(found.at.inner, Rounds):
                yield world._replace(root=found.put(found.at._replace(marks=found.at.marks | {("thrown",), *more})))

    def broadcast(self, name: str) -> None:
        """A signal was sent: everything that waits for it now will hear it before anything else happens."""
        hearing = {node.id for node in self.net.nodes.values() if (node.trigger, node.name) == ("signal", name)}

        def owe(marks: frozenset) -> frozenset:
            return marks | {("owed", mark[1]) for mark in marks if mark[0] == "armed" and mark[1] in hearing}

        self._step(f"signal {name}", lambda world: [world._replace(root=remark(world.root, owe), owing=True)])

    def throw(self, element: str, label: int, code: str, catcher: str | None, brought: dict | None = None) -> None:
        """`element` threw an error or an escalation, which `catcher` caught (None: nobody)."""
        number = len(self.brought) if brought else 0
        self.brought += [brought] if brought else []
        node = self.net.nodes[element]
        trigger = "escalation" if node.trigger == "escalation" else "error"
        self._step(f"{element} throws {code} to {catcher}", lambda world: self._flung(world, label, trigger, code, catcher, number))

    def _flung(self, world: World, label: int, trigger: str, code: str, catcher: str | None, number: int) -> Iterator[World]:
        for flinging in self._thrown(world, label, ("now",)):
            [thrower] = [found for found in everything(flinging.root) if ("now",) in found.at.marks]
            caught = self._catcher(thrower, trigger, code)
            if (caught and caught[2].id) != catcher:
                continue
            root = self._caught(*caught[:3], number) if caught else flinging.root
            yield flinging._replace(root=remark(root, lambda marks: marks - {("now",)}))

    def _catcher(self, thrower: Found, trigger: str, code: str) -> tuple[Found | None, Spot, Node] | None:
        """Outwards: the border of the element, the event subprocesses of the place it is in, the border of that, and so on (10.5.6).

        What interrupted a place is the only thing in it; an event subprocess does not catch what it throws itself.
        """
        at, spot = thrower.body or thrower.at, thrower.spot
        while True:
            if event := self._matching(self.net.nodes[at.element].border, trigger, code):
                return Found(at, partial(spot.replacing, at), spot), spot, event
            inside = [self.net.nodes[name].start for name in self.net.nodes[spot.scope].watchers if name != at.element]
            event = self._matching(inside, trigger, code)
            if event and ("interrupted",) not in spot.place.marks:
                return None, spot, event
            if spot.outer is None:
                return None
            at, spot = spot.host, spot.outer

    def _matching(self, names: Iterable[str], trigger: str, code: str) -> Node | None:
        fitting = [self.net.nodes[name] for name in names if self.net.nodes[name].trigger == trigger]
        return next((n for n in fitting if n.name == code), None) or next((n for n in fitting if n.name is None), None)


def without(found: Found, *flows: str) -> Place:
    """The root without an element, but with tokens."""
    at = list(found.spot.place.at)
    at.remove(found.at)
    return found.spot.put(found.spot.place._replace(at=tuple(at)).plus(*flows))
