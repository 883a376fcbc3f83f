"""Tables of expressions and what they come to, as the specification prints them."""

import datetime
from decimal import Decimal

from engine import feel
from engine.feel.text import text_of

CLOCK = datetime.datetime(2026, 11, 24, 8, 30, tzinfo=datetime.timezone(datetime.timedelta(hours=8)))

CONTEXT = {
    "age": Decimal(71),
    "risk": "high",
    "full name": "李四",
    "姓名": "张三",
    "a-b": Decimal(1),
    "numbers": [Decimal(1), Decimal(2), Decimal(3)],
    "visits": [
        {"day": datetime.date(2026, 1, 5), "worker": "wang", "minutes": Decimal(40)},
        {"day": datetime.date(2026, 2, 9), "worker": "li", "minutes": Decimal(25)},
        {"day": datetime.date(2026, 3, 2), "worker": "wang", "minutes": Decimal(60)},
    ],
    "client": {"full name": "王五", "home address": {"village": "石村"}},
}


def rows(table: str) -> list[tuple[str, str]]:
    """The lines `expression => text of its value` of a table."""
    pairs = [line.rsplit(" => ", 1) for line in table.strip().splitlines() if line.strip() and not line.startswith("#")]
    return [(expression.strip(), value.strip()) for expression, value in pairs]


def show(value) -> str:
    """A value as it looks in a list: strings in quotes, null as a word."""
    return text_of([value])[1:-1]


def run(expression: str, context: dict | None = None) -> str:
    """The text of an expression's value."""
    context = CONTEXT if context is None else context
    return show(feel.compile(expression, context).evaluate(context, CLOCK))
