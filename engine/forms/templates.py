"""Texts with FEEL in them, as form-js writes them: `= expression`, or `{{expression}}`, `{{#if c}}…{{/if}}`, `{{#loop list}}…{{/loop}}`.

Compiled once with the form; a fault is a `TemplateError` that knows the expression and where it stands in the text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from engine import feel
from engine.feel.text import text_of

_MARK = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_OPEN = re.compile(r"#(if|loop)\s+(.+)\Z", re.DOTALL)
# Nested blocks and rendered characters: bounds of what an author can ask for.
NESTING = 8
RENDERED = 50_000

Evaluate = Callable[[feel.Expression, dict], object]


class TemplateError(ValueError):
    """A fault in a template: `reason` in Chinese, `reason_en`, `line` and `column` counted from 1 in the whole text."""

    def __init__(self, reason: str, reason_en: str, line: int, column: int):
        self.reason, self.reason_en, self.line, self.column = reason, reason_en, line, column
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Insert:
    """`{{expression}}`."""

    expression: feel.Expression


@dataclass(frozen=True, slots=True)
class Block:
    """`{{#if}}` or `{{#loop}}` with what stands inside."""

    kind: str
    expression: feel.Expression
    parts: tuple


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text; `names` are the free names of its expressions outside of loops."""

    source: str
    parts: tuple
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, source: str, expression: feel.Expression) -> "Template":
        """A text that is one expression."""
        return cls(source, (Insert(expression),), expression.names)

    def render(self, context: dict, evaluate: Evaluate, escape: Callable[[str], str] = str) -> str:
        """The text for `context`; `evaluate(expression, context)` runs one expression, `escape` makes values fit the text around them.

        A text that is one expression is the author's own as a whole and stays as it comes out.
        """
        return "".join(_render(self.parts, context, evaluate, str if self.source.startswith("=") else escape))[:RENDERED]


def compile_text(text: str, compile_feel: Callable[[str], feel.Expression]) -> str | Template:
    """`text` itself if there is nothing to fill in, else a Template; raises TemplateError. For texts that begin with `=` see `of`."""
    if "{{" not in text or not _MARK.search(text):
        return text
    names: set[str] = set()
    stack: list[tuple[str, feel.Expression | None, list, re.Match | None]] = [("", None, [], None)]
    position = 0
    for mark in _MARK.finditer(text):
        stack[-1][2].append(text[position : mark.start()])
        position = mark.end()
        inside = mark.group(1).strip()
        opening = _OPEN.match(inside)
        if opening:
            if len(stack) > NESTING:
                raise _fault(text, mark, "嵌套过深", "blocks are nested too deeply")
            expression = _expression(text, mark, opening.group(2), compile_feel)
            # Inside a loop bare names belong to the item, so they are no names of the form.
            if not any(kind == "loop" for kind, *_ in stack):
                names.update(expression.names)
            stack.append((opening.group(1), expression, [], mark))
        elif inside.startswith("/"):
            kind, expression, parts, _ = stack[-1]
            if kind != inside[1:].strip() or expression is None:
                raise _fault(text, mark, f"“{{{{{inside[:40]}}}}}”没有对应的开头", f"'{inside[:40]}' closes nothing")
            stack.pop()
            stack[-1][2].append(Block(kind, expression, tuple(parts)))
        elif inside.startswith("#"):
            raise _fault(text, mark, f"不支持“{{{{{inside[:40]}}}}}”", f"'{inside[:40]}' is not supported")
        elif inside:
            expression = _expression(text, mark, inside, compile_feel)
            if not any(kind == "loop" for kind, *_ in stack):
                names.update(expression.names)
            stack[-1][2].append(Insert(expression))
    if len(stack) > 1:
        raise _fault(text, stack[-1][3], f"缺少 {{{{/{stack[-1][0]}}}}}", f"{{{{/{stack[-1][0]}}}}} is missing")
    stack[0][2].append(text[position:])
    return Template(text, tuple(part for part in stack[0][2] if part != ""), frozenset(names))


def _expression(text, mark, source, compile_feel):
    try:
        return compile_feel(source)
    except feel.FeelError as error:
        raise _fault(text, mark, error.message, f"not an expression: {source[:60]}") from error


def _fault(text: str, mark: re.Match, reason: str, reason_en: str) -> TemplateError:
    line = text.count("\n", 0, mark.start()) + 1
    return TemplateError(reason, reason_en, line, mark.start() - (text.rfind("\n", 0, mark.start()) + 1) + 1)


def _render(parts, context: dict, evaluate: Evaluate, escape: Callable[[str], str]) -> list[str]:
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, Insert):
            out.append(escape(to_text(evaluate(part.expression, context))))
        elif part.kind == "if":
            # form-js takes whatever JavaScript calls true; null, false, 0 and "" are not.
            if evaluate(part.expression, context):
                out.extend(_render(part.parts, context, evaluate, escape))
        else:
            found = evaluate(part.expression, context)
            items = found if isinstance(found, list) else [] if found is None else [found]
            for item in items[:1000]:
                out.extend(_render(part.parts, _inside(item, context), evaluate, escape))
        if sum(map(len, out)) > RENDERED:
            break
    return out


def _inside(item, outer: dict) -> dict:
    """What a loop's text sees: the item's own entries, `this` and `parent`, and nothing else of the form."""
    own = item if isinstance(item, dict) else {}
    return {"this": item, "parent": outer, **own, "_this_": item, "_parent_": outer}


def to_text(value) -> str:
    """A FEEL value as FEEL's `string()` writes it; null is empty."""
    if value is None:
        return ""
    return value if isinstance(value, str) else text_of(value)
