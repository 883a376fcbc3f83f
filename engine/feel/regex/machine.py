"""Running a program over a text: all threads at once, the one of highest priority first (Pike's machine).

Only a program with back-references is run by backtracking, each step paid for: what a group matched is more than a place in the
program, so threads at one place are no longer alike.
"""

from typing import NamedTuple, Protocol

from engine.feel.regex.pattern import AGAIN, CHAR, JUMP, LINE_END, LINE_START, MATCH, SAVE, SPLIT, Program


class Budget(Protocol):
    """What running spends from: `engine.feel.budget.Budget`."""

    length: int

    def spend(self, steps: int) -> None: ...

    def text(self, length: int) -> None: ...


class Match(NamedTuple):
    """Where a match lies, and for each group its start and end (None if it took no part)."""

    start: int
    end: int
    places: tuple[int | None, ...]

    def group(self, text: str, number: int) -> str:
        """The text of a group, empty if it took no part or does not exist."""
        if 2 * number + 1 >= len(self.places) or self.places[2 * number + 1] is None:
            return ""
        return text[self.places[2 * number] : self.places[2 * number + 1]]


def find(program: Program, text: str, start: int, budget: Budget) -> Match | None:
    """The leftmost match at or after `start`, by the priorities of alternatives and quantifiers."""
    if program.literal is not None:
        budget.spend((len(text) - start) // 100)
        place = text.find(program.literal, start)
        return None if place < 0 else Match(place, place + len(program.literal), (place, place + len(program.literal)))
    nothing = (None,) * (2 * program.groups + 2)
    if program.refers:
        return _backtrack(program, text, start, nothing, budget)
    code = program.code
    threads: list = []
    found = None
    for place in range(start, len(text) + 1):
        if found is None and (place == start or not program.anchored):
            # A match that begins here has the lowest priority of all.
            seen = {counter for counter, _ in threads}
            _follow(program, 0, place, text, nothing, threads, seen)
        if not threads:
            if found is not None or program.anchored:
                break
            continue
        budget.spend(1 + len(threads) // 4)
        character = text[place] if place < len(text) else None
        following: list = []
        seen = set()
        for counter, places in threads:
            instruction = code[counter]
            if instruction[0] == MATCH:
                found = places
                break  # threads of lower priority are beaten
            if character is not None and instruction[1](character):
                _follow(program, counter + 1, place + 1, text, places, following, seen)
        threads = following
    return None if found is None else Match(found[0], found[1], found)


def _follow(program: Program, counter: int, place: int, text: str, places: tuple, threads: list, seen: set) -> None:
    """Add to `threads` all instructions reachable from `counter` that read a character or match, in order of priority."""
    code = program.code
    pending = [(counter, places)]
    while pending:
        counter, places = pending.pop()
        if counter in seen:
            continue
        seen.add(counter)
        instruction = code[counter]
        operation = instruction[0]
        if operation in (CHAR, MATCH):
            threads.append((counter, places))
        elif operation == JUMP:
            pending.append((instruction[1], places))
        elif operation == SPLIT:
            pending += ((instruction[2], places), (instruction[1], places))
        elif operation == SAVE:
            slot = instruction[1]
            pending.append((counter + 1, (*places[:slot], place, *places[slot + 1 :])))
        elif _at_edge(operation, program.multiline, place, text):
            pending.append((counter + 1, places))


def _backtrack(program: Program, text: str, start: int, nothing: tuple, budget: Budget) -> Match | None:
    for begin in range(start, start + 1 if program.anchored else len(text) + 1):
        pending, seen = [(0, begin, nothing)], set()
        while pending:
            state = pending.pop()
            if state in seen:  # it led nowhere, or round in a circle
                continue
            seen.add(state)
            budget.spend(1)
            counter, place, places = state
            if program.code[counter][0] == MATCH:
                return Match(places[0], places[1], places)
            pending += _next_states(program, counter, place, text, places, budget)
    return None


def _next_states(program: Program, counter: int, place: int, text: str, places: tuple, budget: Budget) -> tuple:
    """Where a program that has come to `counter` may go on; the last is the first to be tried."""
    operation, *rest = program.code[counter]
    if operation == CHAR:
        return ((counter + 1, place + 1, places),) if place < len(text) and rest[0](text[place]) else ()
    if operation == JUMP:
        return ((rest[0], place, places),)
    if operation == SPLIT:
        return (rest[1], place, places), (rest[0], place, places)
    if operation == SAVE:
        return ((counter + 1, place, (*places[: rest[0]], place, *places[rest[0] + 1 :])),)
    if operation == AGAIN:
        before = Match(0, 0, places).group(text, rest[0])
        budget.spend(len(before) // 100)
        here = text[place : place + len(before)]
        same = here == before or (program.ignore_case and here.lower() == before.lower())
        return ((counter + 1, place + len(before), places),) if same else ()
    return ((counter + 1, place, places),) if _at_edge(operation, program.multiline, place, text) else ()


def _at_edge(operation: int, multiline: bool, place: int, text: str) -> bool:
    if operation == LINE_START:
        return place == 0 or (multiline and text[place - 1] == "\n")
    assert operation == LINE_END
    return place == len(text) or (multiline and text[place] == "\n")
