"""What the oracle believes may be the case: a tree of places, in which tokens are on flows and elements are at work. All of it immutable."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple


class Place(NamedTuple):
    """The inside of the process or of a subprocess. `flows`: flows with a token, `!x` (x is about to begin) or `*x~n` (x has happened and
    brought the n-th of the things brought). `marks`: what is known of its event subprocesses."""

    flows: tuple[str, ...] = ()
    at: tuple["At", ...] = ()
    marks: frozenset[tuple] = frozenset()

    @property
    def is_empty(self) -> bool:
        """Nothing is left to do."""
        return not self.flows and not self.at

    def plus(self, *flows: str) -> "Place":
        """More tokens."""
        return self._replace(flows=tuple(sorted((*self.flows, *flows))))


class At(NamedTuple):
    """An element at work. `marks`: ("armed", event), ("fired", event, times), ("met" | "maybe", condition), ("owed", event),
    ("happened",), ("brought", n), ("won", event, n), ("thrown",). `round` is not 0 in one of many. `label`: what the trace calls it, so that
    of several it is said which one; where it belongs the trace does not say."""

    element: str
    inner: "Place | Rounds | None" = None
    marks: frozenset[tuple] = frozenset()
    round: int = 0
    label: int = 0


class Rounds(NamedTuple):
    """The body of an activity that is done more than once. `state`: "" | undecided | again | over."""

    total: int | None
    items: tuple
    begun: int = 0
    done: int = 0
    results: tuple = ()
    at: tuple[At, ...] = ()
    state: str = ""


class World(NamedTuple):
    """One belief. `owing`: something may still have to hear a signal."""

    variables: tuple[tuple[str, object], ...]
    root: Place
    owing: bool = False

    @property
    def values(self) -> dict:
        """The variables of the case."""
        return dict(self.variables)

    def writing(self, **values) -> "World":
        """With other variables."""
        return self._replace(variables=tuple(sorted((self.values | values).items())))


class Spot(NamedTuple):
    """A place in a world: `put` makes the world's root with another place there. `host` is the element (of many: their body) it is the
    inside of, `label` what the trace calls it."""

    place: Place
    put: Callable[[Place], Place]
    host: At | None = None
    outer: "Spot | None" = None
    label: int = 1

    @property
    def scope(self) -> str:
        """The element's id, "" for the process."""
        return self.host.element if self.host else ""

    def replacing(self, old: At, *new: At) -> Place:
        """The root, with `old` replaced."""
        return self.put(self.place._replace(at=_swapped(self.place.at, old, *new)))


class Found(NamedTuple):
    """An element at work in a world; `body` if it is one of many. `put` makes the root without it, or with another."""

    at: At
    put: Callable[..., Place]
    spot: Spot
    body: At | None = None


def spots(root: Place) -> Iterator[Spot]:
    """Every place, the outermost first."""
    pending = [Spot(root, lambda place: place)]
    while pending:
        spot = pending.pop(0)
        yield spot
        for found in at_work(spot):
            if isinstance(found.at.inner, Place):
                pending.append(Spot(found.at.inner, partial(_refilled, found), found.body or found.at, spot, found.at.label))


def _refilled(found: Found, inside: Place) -> Place:
    return found.put(found.at._replace(inner=inside))


def everything(root: Place) -> Iterator[Found]:
    """Every element at work, bodies and their rounds too."""
    for spot in spots(root):
        yield from at_work(spot)


def at_work(spot: Spot) -> Iterator[Found]:
    """Those of one place."""
    for at in spot.place.at:
        yield Found(at, partial(spot.replacing, at), spot)
        if isinstance(at.inner, Rounds):
            for one in at.inner.at:
                yield Found(one, partial(_replaced_in, spot, at, one), spot, at)


def _replaced_in(spot: Spot, body: At, old: At, *new: At) -> Place:
    return spot.replacing(body, _in_body(body, old, *new))


def _in_body(body: At, old: At, *new: At) -> At:
    return body._replace(inner=body.inner._replace(at=_swapped(body.inner.at, old, *new)))


def _swapped(row: tuple[At, ...], old: At, *new: At) -> tuple[At, ...]:
    rest = list(row)
    rest.remove(old)
    return tuple(sorted((*rest, *new), key=repr))


def remark(root: Place, change: Callable[[frozenset], frozenset]) -> Place:
    """The same with other marks everywhere."""

    def of(at: At) -> At:
        inner = at.inner
        if isinstance(inner, Place):
            inner = remark(inner, change)
        elif isinstance(inner, Rounds):
            inner = inner._replace(at=tuple(sorted(map(of, inner.at), key=repr)))
        return at._replace(inner=inner, marks=change(at.marks))

    return root._replace(at=tuple(sorted(map(of, root.at), key=repr)), marks=change(root.marks))


def all_marks(root: Place) -> Iterator[tuple]:
    """The marks of everything, repeated where they are repeated."""
    for spot in spots(root):
        yield from spot.place.marks
        for at in spot.place.at:
            yield from _marks_of(at)


def _marks_of(at: At) -> Iterator[tuple]:
    yield from at.marks
    if isinstance(at.inner, Rounds):
        for one in at.inner.at:
            yield from one.marks
