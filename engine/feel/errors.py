"""What can go wrong with an expression: it cannot be read, it asks too much, or a value does not fit a type.

Everything else that goes wrong inside FEEL (adding a number to a string, an index past the end) is the value null.
"""

from engine.exceptions import EngineError


class FeelError(EngineError):
    """表达式有误。"""


class FeelSyntaxError(FeelError):
    """表达式第 {line} 行第 {column} 列有误：这里应为{wanted}，却是{found}。

    请按提示更正这一处后再试。
    """

    def __init__(self, *, text: str, offset: int, expected: list[str], found: str, **facts):
        """`expected`: what could have stood at `offset` of `text`, in words for the author; `found`: what stands there."""
        self.line = text.count("\n", 0, offset) + 1
        self.column = offset - (text.rfind("\n", 0, offset) + 1) + 1
        self.expected = list(expected)
        wanted = "或".join(self.expected)
        super().__init__(line=self.line, column=self.column, expected=self.expected, wanted=wanted, found=found, **facts)


class FeelUnsupported(FeelSyntaxError):
    """表达式第 {line} 行第 {column} 列用了尚未支持的写法：{found}。

    请改用{wanted}。
    """


class FeelLimit(FeelError):
    """表达式的计算量超过了上限：{limit}最多 {allowed}。

    请把表达式拆小，或减少它处理的数据。
    """


class FeelTypeError(FeelError, ValueError):
    """“{value}”不是有效的{type}。

    请按该类型的写法填写，例如日期写作 2026-01-31。
    """
