"""The purse an evaluation spends from: what bounds its time and memory."""

from engine.feel.errors import FeelLimit

# Bounds of an expression's text; its values are bounded by the Budget.
LENGTH = 20_000  # characters of source
NESTING = 64  # brackets, ifs, fors inside each other
DEPTH = 200  # levels of the tree, long chains of operators included


class Budget:
    """Steps, call depth and sizes left. Handing one purse to several evaluations bounds them together.

    A step is a round of a loop, a filtered item, a function call, or an item of a built list; long bodies count for several.
    A comparison outside loops costs none, for its time is bounded by the length of the text. Strings cost a step per hundred
    characters.
    """

    __slots__ = ("depth", "granted", "length", "size", "steps")

    def __init__(self, steps: int = 250_000, depth: int = 100, length: int = 1_000_000, size: int = 100_000):
        """`depth` of calls, `length` of any one string, `size` of any one list."""
        self.steps = steps
        self.depth = depth
        self.length = length
        self.size = size
        self.granted = steps, depth  # to tell whoever goes beyond

    def spend(self, steps: int) -> None:
        """Take `steps` away; FeelLimit when there are not so many."""
        self.steps -= steps
        if self.steps < 0:
            raise FeelLimit(limit="步数", allowed=self.granted[0])

    def enter(self, cost: int) -> None:
        """Go into a function call whose body costs that much."""
        self.spend(cost)
        self.depth -= 1
        if self.depth < 0:
            raise FeelLimit(limit="函数嵌套", allowed=self.granted[1])

    def leave(self) -> None:
        """Come back from a function call."""
        self.depth += 1

    def text(self, length: int) -> None:
        """A string of `length` is about to be built."""
        if length > self.length:
            raise FeelLimit(limit="文字长度", allowed=self.length)
        self.spend(length // 100)

    def items(self, size: int) -> None:
        """A list of `size` is about to be built."""
        if size > self.size:
            raise FeelLimit(limit="列表项数", allowed=self.size)
        self.spend(size)
