"""What compiling a form collects: findings, the names its FEEL reads, and the FEEL itself."""

from collections.abc import Mapping
from typing import Any

from engine import feel
from engine.findings import Finding, Findings
from engine.forms.model import Condition
from engine.forms.templates import Template, TemplateError, compile_text

LONGEST_TEXT = 20_000


class Examiner:
    """Notes findings instead of stopping at the first, and compiles FEEL. `names`: variables of several words that FEEL may use."""

    def __init__(self, names=()):
        self.known_names = tuple(names)
        self.findings = Findings()
        self.names: set[str] = set()
        self.live_names: set[str] = set()

    def fault(self, element, code, message, message_en, line=None, column=None, severity="error") -> None:
        """Note a finding."""
        self.findings.append(Finding(code, message, message_en, element, None, line, column, severity))

    def unknown(self, element, found: Mapping, allowed, where: str = "") -> None:
        """Refuse the properties of `found` that nobody would heed."""
        for name in found:
            if name not in allowed:
                shown = f"{where}{str(name)[:40]}"
                self.fault(element, "form-property", f"不支持的属性“{shown}”", f"unsupported property '{shown}'")

    def expression(self, element, text: Any, where: str, live: dict | None = None, role: str = "") -> feel.Expression | None:
        """Compile `= …`; None if there is none, or if it is wrong (with a finding). `live`: noted there under `role`."""
        if text is None or (isinstance(text, str) and not text.strip(" =")):
            return None
        if not isinstance(text, str) or not text.startswith("="):
            self.fault(element, "form-feel", f"{where} 应以“=”开头", f"{where} must begin with '='")
            return None
        compiled = self._compiled(element, text[1:], where, offset=1)
        if compiled is not None and live is not None:
            live[role] = text
            self.live_names.update(compiled.names)
        return compiled

    def condition(self, element, text: Any, where: str, live: dict, role: str) -> Condition | None:
        """Compile a condition; None as for `expression`."""
        inner = _negated(text)
        if inner is None:
            compiled = self.expression(element, text, where, live, role)
            return None if compiled is None else Condition(compiled)
        # The inside of not(…) alone says whether null or false came out; the whole is compiled for its findings and names.
        if self.expression(element, text, where, live, role) is None:
            return None
        compiled = self._compiled(element, inner, where, offset=0)
        return None if compiled is None else Condition(compiled, negated=True)

    def text(self, element, text: Any, where: str) -> str | Template:
        """A label or text with FEEL in it; "" if it is wrong (with a finding)."""
        if text is None:
            return ""
        if not isinstance(text, str) or len(text) > LONGEST_TEXT:
            self.fault(element, "form-schema", f"{where} 应为文字", f"{where} must be text")
            return ""
        if text.startswith("="):
            compiled = self._compiled(element, text[1:], where, offset=1)
            return "" if compiled is None else Template.of(text, compiled)
        try:
            template = compile_text(text, lambda source: feel.compile(source, self.known_names))
        except TemplateError as error:
            self.fault(element, "form-feel", f"{where}：{error.reason}", f"{where}: {error.reason_en}", error.line, error.column)
            return ""
        if isinstance(template, Template):
            self.names.update(template.names)
        return template

    def _compiled(self, element, source: str, where: str, offset: int) -> feel.Expression | None:
        try:
            compiled = feel.compile(source, self.known_names)
        except feel.FeelSyntaxError as error:
            # The “=” is not part of the expression; on the first line it moves the column by one.
            column = error.column + (offset if error.line == 1 else 0)
            self.fault(element, "form-feel", f"{where}：{error.message}", f"{where}: not valid FEEL", error.line, column)
            return None
        except feel.FeelError as error:
            self.fault(element, "form-feel", f"{where}：{error.message}", f"{where}: {error.code}")
            return None
        self.names.update(compiled.names)
        return compiled


def _negated(text: Any) -> str | None:
    """What stands inside `= not( … )` when that is the whole of `text`."""
    if not isinstance(text, str):
        return None
    whole = text.removeprefix("=").strip()
    if not (whole.startswith("not") and whole[3:].lstrip().startswith("(") and whole.endswith(")")):
        return None
    start = whole.index("(")
    depth, quoted, position = 0, False, start
    while position < len(whole):
        character = whole[position]
        if quoted:
            position += character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return whole[start + 1 : position] if position == len(whole) - 1 else None
        position += 1
    return None
