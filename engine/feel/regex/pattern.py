"""Pattern → program: the instructions that `machine` runs."""

from dataclasses import dataclass

from engine.feel.errors import FeelLimit
from engine.feel.regex import characters

CHAR, JUMP, SPLIT, SAVE, MATCH, LINE_START, LINE_END, AGAIN = range(8)

_SIZE = 5_000  # instructions; `x{1000}` has a thousand
_NESTING = 50
_DIGITS = frozenset("0123456789")
_SPECIAL = frozenset(".\\?*+{}()[]|^$")


@dataclass(frozen=True, slots=True)
class Program:
    """`literal`: the text itself, when the pattern is nothing but text. `anchored`: it can match only at the start.
    `refers`: it asks for what a group matched."""

    code: list[tuple]
    groups: int
    multiline: bool = False
    literal: str | None = None
    quoted: bool = False
    anchored: bool = False
    ignore_case: bool = False
    refers: bool = False


def assemble(pattern: str, flags: str) -> Program:
    """The program of `pattern`; ValueError when it is none."""
    if set(flags) - set("smixq"):
        raise ValueError("unknown flag")
    if "q" in flags and "i" not in flags:
        return Program([], 0, literal=pattern, quoted=True)
    if not set(pattern) & _SPECIAL and not set(flags) & {"i", "x"}:
        return Program([], 0, literal=pattern)
    reader = _Reader(pattern, flags)
    code = [(SAVE, 0), *(reader.quoted() if "q" in flags else reader.whole()), (SAVE, 1), (MATCH,)]
    multiline = "m" in flags
    anchored = code[1] == (LINE_START,) and not multiline and reader.alternatives == 0
    refers = any(operation == AGAIN for operation, *_ in code)
    return Program(code, reader.groups, multiline, None, "q" in flags, anchored, reader.ignore_case, refers)


class _Reader:
    """Recursive descent over a pattern. Code is relative until it is in place: jumps are distances made absolute at the end."""

    def __init__(self, pattern: str, flags: str):
        self.pattern = _without_blanks(pattern) if "x" in flags and "q" not in flags else pattern
        self.at = 0
        self.groups = 0
        self.closed: set[int] = set()  # groups that have ended
        self.alternatives = 0
        self.nesting = 0
        self.ignore_case = "i" in flags
        self.dot = characters.anything if "s" in flags else characters.not_newline

    def whole(self) -> list[tuple]:
        code = self.choice()
        if self.at < len(self.pattern):
            raise ValueError("unbalanced )")
        return _absolute(code, 1)

    def quoted(self) -> list[tuple]:
        return [self.character(c) for c in self.pattern]

    def sees(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.sees(text):
            self.at += len(text)
            return True
        return False

    def choice(self) -> list[tuple]:
        """Branches between `|`."""
        branches = [self.branch()]
        while self.take("|"):
            self.alternatives += 1
            branches.append(self.branch())
        code = branches.pop()
        for branch in reversed(branches):
            code = _bounded([(SPLIT, 1, len(branch) + 2), *branch, (JUMP, len(code) + 1), *code])
        return code

    def branch(self) -> list[tuple]:
        code: list[tuple] = []
        while self.at < len(self.pattern) and not self.sees("|") and not self.sees(")"):
            code = _bounded(code + self.piece())
        return code

    def piece(self) -> list[tuple]:
        """An atom and its quantifier."""
        atom = self.atom()
        bounds = self.quantifier()
        if bounds is None:
            return atom
        least, most = bounds
        lazy = self.take("?")
        if self.at < len(self.pattern) and self.pattern[self.at] in "?*+{":
            raise ValueError("two quantifiers")
        if len(atom) * max(least, most or 0) > _SIZE:
            raise FeelLimit(limit="正则表达式", allowed=_SIZE)
        code = atom * least
        if most is None:
            return code + [_split(1, len(atom) + 2, lazy), *atom, (JUMP, -len(atom) - 1)]
        optional: list[tuple] = []
        for _ in range(most - least):
            optional = [_split(1, len(atom) + len(optional) + 1, lazy), *atom, *optional]
        return code + optional

    def quantifier(self) -> tuple[int, int | None] | None:
        for symbol, bounds in (("?", (0, 1)), ("*", (0, None)), ("+", (1, None))):
            if self.take(symbol):
                return bounds
        if not self.take("{"):
            return None
        inside, closed, _ = self.pattern[self.at :].partition("}")
        self.at += len(inside) + 1
        least, comma, most = inside.partition(",")
        if not closed or not _digits(least) or (most and not _digits(most)):
            raise ValueError("not a quantity")
        low = int(least)
        high = None if comma and not most else int(most or least)
        if high is not None and high < low:
            raise ValueError("an empty quantity")
        return low, high

    def atom(self) -> list[tuple]:
        symbol = self.pattern[self.at]
        if symbol == "(":
            return self.group()
        if symbol == "[":
            self.at += 1
            return [(CHAR, self.bracket())]
        if symbol == "\\":
            self.at += 1
            return self.reference() if self.pattern[self.at : self.at + 1] in _DIGITS else [(CHAR, self.escape())]
        self.at += 1
        if symbol == ".":
            return [(CHAR, self.dot)]
        if symbol == "^":
            return [(LINE_START,)]
        if symbol == "$":
            return [(LINE_END,)]
        if symbol in _SPECIAL:
            raise ValueError(f"{symbol} with nothing before it")
        return [self.character(symbol)]

    def group(self) -> list[tuple]:
        self.nesting += 1
        if self.nesting > _NESTING:
            raise FeelLimit(limit="正则表达式的括号层数", allowed=_NESTING)
        self.at += 1
        capture = not self.take("?:")
        if capture:
            if self.sees("?"):
                raise ValueError("no such group")
            self.groups += 1
            number = self.groups
        code = self.choice()
        if not self.take(")"):
            raise ValueError("no )")
        self.nesting -= 1
        if not capture:
            return code
        self.closed.add(number)
        return [(SAVE, 2 * number), *code, (SAVE, 2 * number + 1)]

    def reference(self) -> list[tuple]:
        """`\\1`: what an earlier group matched. `\\12` is group 12 if there are so many so far, else group 1 and a 2."""
        number = int(self.pattern[self.at])
        self.at += 1
        while self.pattern[self.at : self.at + 1] in _DIGITS and 10 * number + int(self.pattern[self.at]) <= self.groups:
            number = 10 * number + int(self.pattern[self.at])
            self.at += 1
        if number not in self.closed:
            raise ValueError("a group that has not ended")
        return [(AGAIN, number)]

    def character(self, symbol: str) -> tuple:
        return (CHAR, self.folded(symbol.__eq__))

    def folded(self, test):
        """The test of one character or range without regard to case, if so flagged; classes are what they are."""
        if not self.ignore_case:
            return test
        return lambda c: test(c) or test(c.lower()) or test(c.upper())

    def escape(self):
        """What follows a backslash: one character, or a class of them."""
        if self.at >= len(self.pattern):
            raise ValueError("a lone \\")
        symbol = self.pattern[self.at]
        self.at += 1
        if symbol in "pP":
            inside, closed, _ = self.pattern[self.at :].partition("}")
            if not inside.startswith("{") or not closed:
                raise ValueError("no property")
            self.at += len(inside) + 1
            return characters.property_(inside[1:], negated=symbol == "P")
        if symbol in characters.ESCAPED:
            return self.folded(characters.ESCAPED[symbol].__eq__)
        return characters.escape(symbol)

    def bracket(self):
        """`[a-z0-9-[aeiou]]` after its `[`."""
        self.nesting += 1
        if self.nesting > _NESTING:
            raise FeelLimit(limit="正则表达式的括号层数", allowed=_NESTING)
        negated = self.take("^")
        tests, subtracted, first = [], None, True
        while not self.take("]"):
            if not first and self.take("-["):
                subtracted = self.bracket()
                if not self.take("]"):
                    raise ValueError("something after a subtraction")
                break
            tests.append(self.bracket_item(first))
            first = False
        if not tests:
            raise ValueError("an empty []")
        self.nesting -= 1
        return characters.union(tests, negated, subtracted)

    def bracket_item(self, first: bool):
        bare_dash = self.sees("-")
        start = self.bracket_end()
        if not isinstance(start, str):
            return start
        if self.sees("-") and not self.sees("-]") and not self.sees("-["):
            self.at += 1
            end = self.bracket_end()
            if not isinstance(end, str) or end < start:
                raise ValueError("not a range")
            return self.folded(lambda c: start <= c <= end)
        if bare_dash and not first and not self.sees("]"):
            raise ValueError("a - in the middle")
        return self.folded(start.__eq__)

    def bracket_end(self):
        """One character of a bracket, or the test of a class escape."""
        if self.at >= len(self.pattern):
            raise ValueError("no ]")
        symbol = self.pattern[self.at]
        self.at += 1
        if symbol == "[":
            raise ValueError("a bare [")
        if symbol != "\\":
            return symbol
        if self.at < len(self.pattern) and self.pattern[self.at] in characters.ESCAPED:
            self.at += 1
            return characters.ESCAPED[self.pattern[self.at - 1]]
        return self.escape()


def _split(stay: int, leave: int, lazy: bool) -> tuple:
    return (SPLIT, leave, stay) if lazy else (SPLIT, stay, leave)


def _bounded(code: list[tuple]) -> list[tuple]:
    if len(code) > _SIZE:
        raise FeelLimit(limit="正则表达式", allowed=_SIZE)
    return code


def _absolute(code: list[tuple], start: int) -> list[tuple]:
    return [
        (operation, *(place + start + distance for distance in rest)) if operation in (JUMP, SPLIT) else (operation, *rest)
        for place, (operation, *rest) in enumerate(code)
    ]


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6


def _without_blanks(pattern: str) -> str:
    """The pattern of flag `x`: blanks count only inside brackets."""
    kept, depth, escaped = [], 0, False
    for c in pattern:
        if not escaped:
            depth += (c == "[") - (c == "]" and depth > 0)
        if depth or c not in " \t\r\n":
            kept.append(c)
        escaped = c == "\\" and not escaped
    return "".join(kept)
