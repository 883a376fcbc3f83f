"""Running a program over a text: all threads at once, the one of highest priority first (Pike's machine)."""

from typing import NamedTuple, Protocol

from engine.feel.regex.pattern import CHAR, JUMP, LINE_END, LINE_START, MATCH, SAVE, SPLIT, Program


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
    code = program.code
    nothing = (None,) * (2 * program.groups + 2)
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


def _at_edge(operation: int, multiline: bool, place: int, text: str) -> bool:
    if operation == LINE_START:
        return place == 0 or (multiline and text[place - 1] == "\n")
    assert operation == LINE_END
    return place == len(text) or (multiline and text[place] == "\n")
