"""Random diagrams made of blocks, each with one way in and one way out: whatever happens, they come to their end."""

from random import Random

from tests.bpmn.builder import Diagram

VARIABLES = ("n1", "n2", "n3")
CODES = ("E1", "E2", "E3")
SIGNALS = ("S1", "S2", "S3")
HAPPENINGS = ("timer", "message", "signal", "conditional")


class Blocks:
    """Blocks inside blocks. `plain`: only what SpiffWorkflow does right."""

    def __init__(self, random: Random, size: int, plain: bool = False):
        self.random, self.budget, self.plain = random, size, plain
        self.diagram = Diagram("random")
        self.count = 0

    def make(self) -> Diagram:
        """A whole process."""
        self._scope()
        return self.diagram

    def _scope(self) -> None:
        start, end = self.node("startEvent"), self.node("endEvent")
        first, last = self.row()
        self.diagram.path(start, first)
        self.diagram.path(last, end)
        if not self.plain and self.random.random() < 0.25:
            self._watch(self.random.sample(HAPPENINGS, self.random.randint(1, 2)))

    def row(self) -> tuple[str, str]:
        """One block or several."""
        first, last = self._block()
        while self.budget > 0 and self.random.random() < 0.5:
            following, new_last = self._block()
            self.diagram.path(last, following)
            last = new_last
        return first, last

    def _block(self) -> tuple[str, str]:
        self.budget -= 1
        small = [self._user] * 3
        big = [self._user, *[self._split] * 3, self._sub]
        if not self.plain:
            small += [self._script, self._pause, self._throw, self._service, self._many]
            big += [self._script, self._loop, self._deadline, self._deadline, self._race, self._choice, self._many, self._link, self._pause]
            big += [self._broken, self._broken, self._throw]
        return self.random.choice(big if self.budget > 0 else small)()

    # --- nodes ----------------------------------------------------------------------------------------------------------

    def node(self, tag: str, **parts) -> str:
        """A node with a fresh id."""
        return self.diagram.add(tag, self._fresh(tag[0]), **parts)

    def _fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def _user(self) -> tuple[str, str]:
        name = self.diagram.user(self._fresh("u"))
        return name, name

    def _script(self) -> tuple[str, str]:
        name = self.diagram.script(self._fresh("x"), self.random.choice(VARIABLES), calculation(self.random))
        return name, name

    def _service(self) -> tuple[str, str]:
        name, merge = self.diagram.service(self._fresh("w"), "work"), self.node("exclusiveGateway")
        self.diagram.path(name, merge)
        for code in CODES:  # a job may end in any of these
            other, _ = self._user()
            self.diagram.path(self.diagram.boundary(self._fresh("b"), name, "error", code), other, merge)
        return name, merge

    def _aside(self, event: str) -> None:
        task, _ = self._user()
        self.diagram.path(event, task, self.node("endEvent"))

    def _event(self, tag: str, trigger: str, name: str, **parts) -> str:
        """An event that catches; messages have names of their own."""
        if trigger == "timer":
            kind, text = (
                self.random.choice([("Duration", "PT1H"), ("Cycle", "R2/PT1H")]) if "false" in parts.values() else ("Duration", "PT1H")
            )
            return self.diagram.timer(tag, name, kind, text, **parts)
        what = {"message": f"m{name}", "signal": self.random.choice(SIGNALS), "conditional": comparison(self.random)}[trigger]
        return self.diagram.event(tag, name, trigger, what, '"key"' if trigger == "message" else None, **parts)

    def _pause(self) -> tuple[str, str]:
        if self.random.random() < 0.2:
            name = self._fresh("r")
            self.diagram.receive(name, f"m{name}", '"key"')
            return name, name
        name = self._event("intermediateCatchEvent", self.random.choice(HAPPENINGS), self._fresh("c"))
        return name, name

    def _throw(self, triggers: tuple[str, ...] = ("message", "signal", "escalation")) -> tuple[str, str]:
        trigger = self.random.choice(triggers)
        what = {"message": "news", "signal": self.random.choice(SIGNALS), "escalation": self.random.choice(CODES)}[trigger]
        name = self.diagram.event("intermediateThrowEvent", self._fresh("t"), trigger, what)
        return name, name

    def _link(self) -> tuple[str, str]:
        first, last = self.row()
        away, back = self._fresh("t"), self._fresh("c")
        self.diagram.event("intermediateThrowEvent", away, "link", away)
        self.diagram.event("intermediateCatchEvent", back, "link", away)
        self.diagram.path(last, away)
        return first, back

    # --- gateways and flows ---------------------------------------------------------------------------------------------

    def _split(self) -> tuple[str, str]:
        kind = self.random.choice(["exclusiveGateway", "parallelGateway", "inclusiveGateway"])
        split, join = self.node(kind), self.node(kind)
        width = self.random.randint(2, 3)
        for branch in range(width):
            first, last = self.row()
            condition = comparison(self.random) if kind != "parallelGateway" and branch else None
            self.diagram.flow(split, first, condition, default=kind != "parallelGateway" and not branch)
            self.diagram.flow(last, join)
        return split, join

    def _choice(self) -> tuple[str, str]:
        """A task that is left by several flows."""
        first, _ = self.random.choice([self._user, self._script])()
        conditional, free = self.random.random() < 0.7, self.random.random() < 0.4
        join = self.node("inclusiveGateway" if conditional else "parallelGateway")
        for branch in range(self.random.randint(2, 3)):
            entry, last = self.row()
            default = conditional and not free and not branch
            plain = not conditional or branch == 0
            self.diagram.flow(first, entry, None if plain else comparison(self.random), default=default)
            self.diagram.flow(last, join)
        return first, join

    def _race(self) -> tuple[str, str]:
        gateway, merge = self.node("eventBasedGateway"), self.node("exclusiveGateway")
        triggers = self.random.sample(HAPPENINGS, self.random.randint(2, 3))
        for trigger in triggers:
            event = self._event("intermediateCatchEvent", trigger, self._fresh("c"))
            if trigger == "message" and self.random.random() < 0.5:
                del self.diagram.nodes[event]
                self.diagram.receive(event, f"m{event}", '"key"')
            first, last = self.row()
            self.diagram.path(gateway, event, first)
            self.diagram.path(last, merge)
        return gateway, merge

    def _loop(self) -> tuple[str, str]:
        back, more = self.node("exclusiveGateway"), self.node("exclusiveGateway")
        first, last = self.row()
        # Counts down, so that every loop ends.
        name = self._fresh("x")
        counter = self.diagram.script(name, f"k{name[1:]}", f"k{name[1:]} - 1")
        self.diagram.path(back, first)
        self.diagram.path(last, counter, more)
        out, _ = self._user()
        self.diagram.flow(more, back, f"k{name[1:]} > 0")
        self.diagram.flow(more, out, default=True)
        return back, out

    # --- scopes ---------------------------------------------------------------------------------------------------------

    def _sub(self) -> tuple[str, str]:
        name = self._fresh("s")
        with self.diagram.inside(name):
            self._scope()
        return name, name

    def _many(self) -> tuple[str, str]:
        """For the items of a list, or in a loop."""
        kinds = [self._user, self._script] if self.budget <= 0 else [self._user, self._script, self._sub]
        name, _ = self.random.choice(kinds)()
        if self.random.random() < 0.25:
            loop_of(self.diagram, self.random, name)
            return name, name
        items = ", ".join(self.random.choice(["null", "1", "7", *VARIABLES]) for _ in range(self.random.randint(0, 3)))
        output = (f"k{name}", "[item, loopCounter, n1]") if self.random.random() < 0.5 else None
        until = self.random.choice(["", "", f"numberOfCompletedInstances > {self.random.randint(0, 1)}", comparison(self.random)])
        self.diagram.many(name, f"[{items}]", "item", output, until, sequential=self.random.random() < 0.5)
        return name, name

    def _deadline(self) -> tuple[str, str]:
        host, _ = self.random.choice([self._user, self._sub, self._many])()
        return host, self._border(host, self.random.sample(HAPPENINGS, self.random.randint(1, 2)))

    def _border(self, host: str, triggers: list[str]) -> str:
        """Events on the border of `host`; answers where to go on."""
        merge = host
        for trigger in triggers:
            cancels = self.random.choice(["true", "false"])
            event = self._event("boundaryEvent", trigger, self._fresh("b"), attachedToRef=host, cancelActivity=cancels)
            if cancels == "false":
                self._aside(event)
                continue
            if merge == host:
                merge = self.node("exclusiveGateway")
                self.diagram.path(host, merge)
            other, _ = self._user()
            self.diagram.path(event, other, merge)
        return merge

    def _watch(self, triggers: list[str]) -> None:
        for trigger in triggers:
            with self.diagram.watcher(self._fresh("s")):
                kind = "true" if trigger == "error" or self.random.random() < 0.5 else "false"
                name = self._fresh("e")
                if trigger in ("error", "escalation"):
                    self.diagram.event("startEvent", name, trigger, self.random.choice([None, *CODES]), isInterrupting=kind)
                else:
                    self._event("startEvent", trigger, name, isInterrupting=kind)
                first, last = self._user()
                if self.random.random() < 0.3:
                    following, last = self._throw(("message", "escalation"))  # its own signal would begin it for ever
                    self.diagram.path(first, following)
                self.diagram.path(name, first)
                self.diagram.path(last, self.node("endEvent"))

    def _broken(self) -> tuple[str, str]:
        """A subprocess in which something is thrown, and what catches it."""
        trigger = self.random.choice(["error", "escalation"])
        name, merge = self._fresh("s"), self.node("exclusiveGateway")
        with self.diagram.inside(name):
            start, which, end = self.node("startEvent"), self.node("exclusiveGateway"), self.node("endEvent")
            thrown = self.diagram.event("endEvent", self._fresh("e"), trigger, self.random.choice(CODES))
            first, last = self.row()
            self.diagram.path(start, first)
            self.diagram.path(last, which)
            self.diagram.flow(which, end, default=True)
            self.diagram.flow(which, thrown, comparison(self.random))
            if self.random.random() < 0.4:
                self._watch([trigger])
        self.diagram.path(name, merge)
        for code in (None, self.random.choice(CODES)):
            interrupts = trigger == "error" or self.random.random() < 0.5
            event = self.diagram.boundary(self._fresh("b"), name, trigger, code, interrupts)
            if interrupts:
                other, _ = self._user()
                self.diagram.path(event, other, merge)
            else:
                self._aside(event)
        return name, merge


def loop_of(diagram: Diagram, random: Random, name: str) -> None:
    """Make an activity a loop."""
    asks_first = random.choice(["true", "false"])
    condition = f"<bpmn:loopCondition>={comparison(random)}</bpmn:loopCondition>".replace(" < ", " &lt; ").replace(" > ", " &gt; ")
    inner = f'<bpmn:standardLoopCharacteristics testBefore="{asks_first}" loopMaximum="{random.randint(1, 3)}">{condition}</bpmn:standardLoopCharacteristics>'
    diagram.nodes[name].inner += inner


def comparison(random: Random) -> str:
    """A condition that the oracle can read too."""
    return f"{random.choice(VARIABLES)} {random.choice('<>')} {random.randint(1, 5)}"


def calculation(random: Random) -> str:
    """An expression that the oracle can read too. It adds little: numbers doubled in a circle would leave FEEL's 34 digits."""
    return f"{random.choice(VARIABLES)} {random.choice('+-')} {random.randint(0, 2)}"
