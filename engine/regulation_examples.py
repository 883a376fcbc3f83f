"""Examples of a regulation: what its rules must say of given facts, and what they must leave alone. Pure.

`<key>.examples.yaml` lies beside `<key>.dmn`:

    given: {…}                         facts that all examples share; their own are laid over them
    examples:
    - rule: safety.two_person          which rule it is about
      name: 高危家庭一个人去不行         name_en: Nobody goes alone to a dangerous family
      point: assign                    the check point
      facts: {…}                       as in engine.regulations; a text that begins with @ is a FEEL literal: "@2026-03-02", "@PT48H"
      refused: true                    whether the rule gives a verdict, of whatever effect

Without `now` among the facts it is NOW. Parameters are those the file gives: a county that sets other numbers keeps its examples. A
regulation is published only while all its examples hold (engine.commands.definitions).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

import yaml

from engine import feel
from engine.exceptions import DeployRefused, EngineError
from engine.findings import Finding, Findings
from engine.regulations import POINTS, Regulation, Tables, Verdict, check

SUFFIX = ".examples.yaml"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=8)))  # a Monday morning
MAX_BYTES = 1_000_000
MAX_EXAMPLES = 500
MAX_EVENTS = 200_000  # of the YAML: a bound on what is built of it
DEEPEST = 30
_TEXTS = {"rule": 100, "name": 200, "name_en": 200}  # characters
_KEYS = {*_TEXTS, "point", "facts", "refused"}


@dataclass(frozen=True)
class Example:
    """One example; `facts` are FEEL values; `line` where it begins in its file."""

    rule: str
    name: str
    name_en: str
    point: str
    facts: Mapping[str, Any]
    refused: bool
    line: int


@dataclass(frozen=True)
class Result:
    """What became of an example. `got`: whether its rule spoke; `verdict`: what it said first; `rows`: all rows of that rule that spoke;
    `error`: why the table could not answer."""

    example: Example
    got: bool
    verdict: Verdict | None = None
    rows: tuple[str, ...] = ()
    error: str | None = None

    @property
    def passed(self) -> bool:
        """Whether it is as the example says."""
        return self.error is None and self.got == self.example.refused

    def as_dict(self) -> dict:
        """Plain JSON for the API."""
        one = self.example
        told = {"rule": one.rule, "name": one.name, "name_en": one.name_en, "point": one.point}
        return told | {"expected": one.refused, "got": self.got, "passed": self.passed, "rows": list(self.rows), "error": self.error}


@dataclass(frozen=True)
class Uncovered:
    """What the examples do not show: `rows` that could go without an example failing, rules that `never_spoken` or `never_silent`."""

    rows: list[str] = field(default_factory=list)
    never_spoken: list[str] = field(default_factory=list)
    never_silent: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.rows or self.never_spoken or self.never_silent)


def read(content: bytes, file: str | None = None) -> list[Example]:
    """The examples of a file. Raises DeployRefused with a finding and its line for everything that is wrong."""
    reader = _Reader(file)
    examples = reader.examples(content)
    if reader.found:
        raise DeployRefused(reader.found)
    return examples


def run(regulation: Regulation, examples: Iterable[Example]) -> list[Result]:
    """Ask the table about each example."""
    tables = Tables([regulation])
    return [_run(tables, example) for example in examples]


def _run(tables: Tables, example: Example) -> Result:
    clock = example.facts.get("now")
    try:
        verdicts = check(tables, example.point, example.facts, clock if isinstance(clock, datetime) else NOW)
    except (EngineError, feel.FeelError) as error:
        return Result(example, False, error=str(error))
    said = [verdict for verdict in verdicts if verdict.rule == example.rule]
    return Result(example, bool(said), said[0] if said else None, tuple(verdict.row for verdict in said))


def uncovered(regulation: Regulation, results: Iterable[Result]) -> Uncovered:
    """Which rows and rules of a regulation its examples do not show; `results` as `run` answers them."""
    results = [result for result in results if result.passed]
    hit = {row for result in results for row in result.rows if len(result.rows) == 1}
    spoken = {result.example.rule for result in results if result.got}
    silent = {result.example.rule for result in results if not result.got}
    return Uncovered(
        [rule.id for rule in regulation.decision.rules if rule.id not in hit],
        [rule for rule in regulation.rules if rule not in spoken],
        [rule for rule in regulation.rules if rule not in silent],
    )


def failures(results: Iterable[Result], file: str | None = None) -> list[Finding]:
    """A finding for every example that does not hold: which one, which rule, what it expects and what the table says."""
    return [_failure(result, file) for result in results if not result.passed]


def _failure(result: Result, file: str | None) -> Finding:
    one = result.example
    said = ("给出了结论", "spoke") if result.got else ("没有给出结论", "was silent")
    wanted = ("应当给出结论", "should speak") if one.refused else ("不应给出结论", "should be silent")
    if result.error:
        said = (f"答不出来（{result.error}）", f"could not answer ({result.error})")
    zh = f"示例“{one.name}”不成立：规则 {one.rule} {wanted[0]}，实际{said[0]}"
    en = f'The example "{one.name_en or one.name}" fails: {one.rule} {wanted[1]}, but it {said[1]}'
    return Finding("example_failed", zh, en, element=one.rule, file=file, line=one.line)


class _Reader:
    """Reads a YAML file of examples and gathers findings."""

    def __init__(self, file: str | None):
        self.file = file
        self.found = Findings()

    def refuse(self, code: str, zh: str, en: str, line: int | None = None, element: str | None = None) -> None:
        self.found.append(Finding(code, zh, en, element=element, file=self.file, line=line))

    def examples(self, content: bytes) -> list[Example]:
        text = self._text(content)
        if text is None:
            return []
        root = self._tree(text)
        if root is None:
            return []
        parts = {key.value: node for key, node in root.value} if isinstance(root, yaml.MappingNode) else {}
        listed = parts.get("examples")
        if not isinstance(listed, yaml.SequenceNode) or parts.keys() - {"given", "examples"} or len(parts) < len(root.value):
            self.refuse(
                "examples_list",
                "示例文件应有 examples（一个列表），可以有 given（共同的事实），没有别的",
                "The file must hold examples (a list), may hold given (facts they share), and nothing else",
                root.start_mark.line + 1,
            )
            return []
        if len(listed.value) > MAX_EXAMPLES:
            self.refuse("too_large", f"示例超过 {MAX_EXAMPLES} 个", f"More than {MAX_EXAMPLES} examples")
            return []
        given = self._given(parts["given"]) if "given" in parts else {}
        return [example for node in listed.value if (example := self._example(node, given)) is not None]

    def _given(self, node) -> Mapping[str, Any]:
        line = node.start_mark.line + 1
        return self._facts(self._plain(node, line), line) or {}

    def _plain(self, node, line: int):
        try:
            return yaml.SafeLoader("").construct_document(node)
        except (yaml.YAMLError, ValueError, TypeError, RecursionError):
            return self.refuse("not_yaml", "这一段读不出来", "This part cannot be read", line)

    def _facts(self, plain, line: int) -> Mapping[str, Any] | None:
        """Facts as FEEL values, or None after a finding."""
        if not isinstance(plain, dict) or not all(isinstance(value, dict) or key == "now" for key, value in plain.items()):
            return self.refuse("example_facts", "每一项事实都应是键值对", "Every one of the facts is a mapping", line)
        return self._feel(plain, line)

    def _text(self, content: bytes) -> str | None:
        if len(content) > MAX_BYTES:
            return self.refuse("too_large", f"示例文件超过 {MAX_BYTES} 字节", f"The file of examples has more than {MAX_BYTES} bytes")
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.refuse("examples_encoding", "示例文件的编码应为 UTF-8", "The file of examples must be UTF-8")

    def _tree(self, text: str):
        """The file's nodes, after a look at its events: no aliases, which would blow it up, and no depths."""
        depth = count = 0
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                count += 1
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if isinstance(event, yaml.AliasEvent):
                    line = event.start_mark.line + 1
                    return self.refuse("examples_alias", "示例里不能用 YAML 的引用（*）", "YAML aliases (*) are not allowed in examples", line)
                if depth > DEEPEST or count > MAX_EVENTS:
                    return self.refuse("too_large", "示例文件太大或嵌套过深", "The file of examples is too large or nested too deep")
            return yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            why = getattr(error, "problem", None) or type(error).__name__
            return self.refuse("not_yaml", f"不是合格的 YAML：{why}", f"Not well-formed YAML: {why}", mark.line + 1 if mark else None)

    def _example(self, node, given: Mapping[str, Any]) -> Example | None:
        line = node.start_mark.line + 1
        plain = self._plain(node, line)
        if not isinstance(plain, dict) or set(plain) - _KEYS or {"rule", "name", "point", "refused"} - set(plain):
            return self.refuse(
                "example_keys",
                "示例要有 rule、name、point、refused，可以有 name_en、facts，没有别的",
                "An example has rule, name, point and refused, may have name_en and facts, and nothing else",
                line,
            )
        before = len(self.found)
        for key, most in _TEXTS.items():
            value = plain.get(key, "-")
            if not isinstance(value, str) or not value.strip() or len(value) > most:
                self.refuse("example_text", f"“{key}”应是不超过 {most} 字的文字", f'"{key}" is a text of at most {most} characters', line)
        if plain["point"] not in POINTS:
            self.refuse("example_point", f"检查点只能是 {'、'.join(POINTS)}", f"The point is one of {', '.join(POINTS)}", line)
        if not isinstance(plain["refused"], bool):
            self.refuse("example_refused", "refused 应为 true 或 false", "refused is true or false", line)
        facts = self._facts(plain.get("facts") or {}, line)
        if len(self.found) > before:
            return None
        return Example(plain["rule"], plain["name"], plain.get("name_en", ""), plain["point"], _over(given, facts), plain["refused"], line)

    def _feel(self, value, line: int):
        """Plain YAML as FEEL values."""
        if isinstance(value, dict):
            return {str(key): self._feel(each, line) for key, each in value.items()}
        if isinstance(value, list):
            return [self._feel(each, line) for each in value]
        if isinstance(value, str) and value.startswith("@"):
            try:
                return feel.compile(f'@"{value[1:]}"').evaluate({})
            except feel.FeelError:
                return self.refuse("example_literal", f"“{value}”不是日期、时间或时长", f'"{value}" is no date, time or duration', line)
        if isinstance(value, date):
            return self.refuse("example_literal", f"日期请写成 \"@{value}\"", f'Write the date as "@{value}"', line)
        try:
            return feel.from_plain(value)
        except feel.FeelError:
            return self.refuse("example_value", "示例里有不能用的值", "A value of the example cannot be used", line)


def _over(given: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts laid over those that all share, context by context; a list replaces a list."""
    laid = dict(given)
    for key, value in facts.items():
        below = laid.get(key)
        laid[key] = _over(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return laid
