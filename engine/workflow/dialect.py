"""Reads one node's `zeebe:` extension elements and expressions into the fields of the model."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC

from lxml import etree

from engine import feel
from engine.workflow.admit import place, split
from engine.workflow.faults import FIELDS
from engine.workflow.formula import HOST_NAMES, Formula
from engine.workflow.model import Assignment, CallRule, JobRule, Kind, Loop, MultiInstance, TimerRule, VariableMapping
from engine.workflow.report import Report
from engine.workflow.timing import fault_of, moment
from engine.workflow.vocabulary import BPMN, TIMER_PARTS, ZEEBE

NAMESPACES = {"b": BPMN, "z": ZEEBE}
LONGEST_PATH = 20
_NAME = re.compile(r"[^\W\d]\w*")


class Dialect:
    """`names`: all variables the diagram itself makes, so that expressions may use them."""

    def __init__(self, root: etree._Element, report: Report):
        self.report = report
        self.names = HOST_NAMES | {"loopCounter"} | frozenset(_made(root))

    # --- expressions ----------------------------------------------------------------------------------------------------

    def formula(self, node: etree._Element, text: str | None, field: str, needs_feel: bool = False) -> Formula | None:
        """A field's value: None when it is empty or wrong (then with a finding). `field` is a key of `FIELDS`."""
        text, where, what = (text or "").strip(), place(node), FIELDS[field]
        if not text:
            return None
        if needs_feel and not text.startswith("="):
            self.report.add("not_an_expression", where, what=what)
            return None
        try:
            return Formula.read(text, self.names)
        except feel.FeelSyntaxError as error:
            code = "feel_unsupported" if isinstance(error, feel.FeelUnsupported) else "feel_syntax"
            reason = (error.message, f"line {error.line}, column {error.column}: {text[1:]}")
            self.report.add(code, where, line=error.line, column=error.column, what=what, reason=reason)
        except feel.FeelError as error:
            self.report.add("feel_syntax", where, what=what, reason=error.message)
        return None

    def variable(self, node: etree._Element, text: str | None, field: str) -> tuple[str, ...] | None:
        """A variable, or a path into one."""
        path = tuple((text or "").strip().split("."))
        if len(path) > (LONGEST_PATH if field == "target" else 1) or not all(_NAME.fullmatch(part) for part in path):
            self.report.add("bad_variable", place(node), what=FIELDS[field], name=text or "")
        elif path[0] in HOST_NAMES or (path[0] == "loopCounter" and field in ("item", "results")):  # each round writes it itself
            self.report.add("reserved_name", place(node), name=path[0])
        else:
            return path
        return None

    # --- extension elements ---------------------------------------------------------------------------------------------

    def extension(self, node: etree._Element, name: str) -> etree._Element | None:
        """The node's own extension element of that name."""
        return node.find(f"b:extensionElements/z:{name}", NAMESPACES)

    def properties(self, node: etree._Element) -> Mapping[str, str]:
        """`zeebe:properties`; a name given twice keeps its last value."""
        found = node.iterfind("b:extensionElements/z:properties/z:property", NAMESPACES)
        return {entry.get("name", ""): entry.get("value", "") for entry in found if entry.get("name")}

    def mappings(self, node: etree._Element, name: str) -> tuple[VariableMapping, ...]:
        """`input` or `output` entries, in order."""
        made = []
        for entry in node.iterfind(f"b:extensionElements/z:ioMapping/z:{name}", NAMESPACES):
            target = self.variable(node, entry.get("target"), "target")
            source = self.formula(node, entry.get("source"), "source")
            if not (entry.get("source") or "").strip():
                self.report.add("missing_source", place(node))
            elif target and source:
                made.append(VariableMapping(source, target))
        return tuple(made)

    def fields(self, node: etree._Element, kind: Kind) -> dict:
        """What the extension elements say, as fields of an `Element` of this kind."""
        found = {
            "properties": self.properties(node),
            "inputs": self.mappings(node, "input"),
            "outputs": self.mappings(node, "output"),
            "loop": self.loop(node),
            "multi": self.multi(node),
        }
        if found["loop"] and found["multi"]:
            self.report.add("two_loops", place(node))
        read = {
            Kind.USER_TASK: self._user_task,
            Kind.SCRIPT_TASK: self._script,
            Kind.BUSINESS_RULE_TASK: self._decision,
            Kind.CALL_ACTIVITY: self._call,
        }.get(kind)
        return found | (read(node) if read else {})

    def _user_task(self, node: etree._Element) -> dict:
        def read(box: str, attribute: str, field: str) -> Formula | None:
            found = self.extension(node, box)
            return None if found is None else self.formula(node, found.get(attribute), field)

        fields = {
            "form_id": self._form(node),
            "assignment": Assignment(
                read("assignmentDefinition", "assignee", "assignee"),
                read("assignmentDefinition", "candidateGroups", "groups"),
                read("assignmentDefinition", "candidateUsers", "users"),
            ),
            "due": read("taskSchedule", "dueDate", "due"),
            "follow_up": read("taskSchedule", "followUpDate", "follow_up"),
            "priority": read("priorityDefinition", "priority", "priority"),
        }
        self._check_fixed(node, fields)
        return fields

    def _form(self, node: etree._Element) -> str | None:
        box = self.extension(node, "formDefinition")
        form = (box.get("formId") or "").strip() if box is not None else ""
        if not form:
            self.report.add("no_form", place(node))
        elif form.startswith("="):
            self.report.add("must_be_fixed", place(node), what=FIELDS["form"])
        return form or None

    def _check_fixed(self, node: etree._Element, fields: dict) -> None:
        """Texts that are no expressions can be judged now."""
        for field in ("due", "follow_up"):
            if fields[field] and fields[field].expression is None:
                try:
                    moment(fields[field].text, UTC)
                except (ValueError, OverflowError) as error:
                    self.report.add("bad_time", place(node), what=FIELDS[field], reason=error)
        priority = fields["priority"]
        if priority and priority.expression is None and not ((number := _number(priority.text)) is not None and number <= 100):
            self.report.add("bad_priority", place(node))

    def _script(self, node: etree._Element) -> dict:
        box = self.extension(node, "script")
        if box is None or not (box.get("expression") or "").strip():
            self.report.add("no_script", place(node))
            return {}
        return {"script": self.formula(node, box.get("expression"), "script", needs_feel=True), "result_variable": self._result(node, box)}

    def _decision(self, node: etree._Element) -> dict:
        box = self.extension(node, "calledDecision")
        if box is None or not (box.get("decisionId") or "").strip():
            self.report.add("no_decision", place(node))
            return {}
        return {"decision_id": self.formula(node, box.get("decisionId"), "decision"), "result_variable": self._result(node, box)}

    def _result(self, node: etree._Element, box: etree._Element) -> str | None:
        path = self.variable(node, box.get("resultVariable"), "result")
        return path[0] if path else None

    def job(self, node: etree._Element) -> JobRule | None:
        """`zeebe:taskDefinition` and `zeebe:taskHeaders`: work that a program does; None if the node has none."""
        box, headers = self.extension(node, "taskDefinition"), self._headers(node)
        if box is None:
            if headers:
                self.report.add("idle_headers", place(node))
            return None
        work = self.formula(node, box.get("type"), "job")
        if not (box.get("type") or "").strip():
            self.report.add("no_job_type", place(node))
        retries = self.formula(node, box.get("retries"), "retries")
        if retries and retries.expression is None and not _number(retries.text):
            self.report.add("bad_retries", place(node))
        return work and JobRule(work, retries, headers)

    def _headers(self, node: etree._Element) -> Mapping[str, str]:
        headers: dict[str, str] = {}
        for entry in node.iterfind("b:extensionElements/z:taskHeaders/z:header", NAMESPACES):
            key = entry.get("key") or ""
            if not key or key in headers:
                self.report.add("bad_header", place(node), key=key)
            headers[key] = entry.get("value") or ""
        return headers

    def _call(self, node: etree._Element) -> dict:
        box = self.extension(node, "calledElement")
        if box is None or not (box.get("processId") or "").strip():
            self.report.add("no_called_process", place(node))
            return {}
        called = self.formula(node, box.get("processId"), "process")
        given, taken = (self._switch(node, box, f"propagateAll{whose}Variables") for whose in ("Parent", "Child"))
        return {"call": called and CallRule(called, given, taken)}

    def _switch(self, node: etree._Element, box: etree._Element, attribute: str) -> bool:
        value = box.get(attribute, "true")
        if value not in ("true", "false"):
            self.report.add("unsupported_attribute", place(node), what=split(box.tag)[1], attribute=attribute, value=value)
        return value == "true"

    # --- parts of BPMN that hold expressions ----------------------------------------------------------------------------

    def loop(self, node: etree._Element) -> Loop | None:
        """`standardLoopCharacteristics`."""
        box = node.find("b:standardLoopCharacteristics", NAMESPACES)
        if box is None:
            return None
        text = (box.findtext("b:loopCondition", "", NAMESPACES) or "").strip()
        maximum = _number(box.get("loopMaximum") or "")
        if (not text and maximum is None) or (box.get("loopMaximum") is not None and not maximum):
            self.report.add("bad_loop", place(node))
        return Loop(self.formula(node, text, "loop", needs_feel=True), maximum, box.get("testBefore") == "true")

    def multi(self, node: etree._Element) -> MultiInstance | None:
        """`multiInstanceLoopCharacteristics` with Zeebe's collections."""
        outer = node.find("b:multiInstanceLoopCharacteristics", NAMESPACES)
        if outer is None:
            return None
        box = self.extension(outer, "loopCharacteristics")
        box = etree.Element("none") if box is None else box
        if not (box.get("inputCollection") or "").strip():
            self.report.add("no_collection", place(node))
        collection = self.formula(node, box.get("inputCollection"), "collection", needs_feel=True)
        item = self.variable(node, box.get("inputElement"), "item") if box.get("inputElement") else None
        output = None
        if box.get("outputCollection") or box.get("outputElement"):
            if not (box.get("outputElement") or "").strip():
                self.report.add("half_output", place(node))
            results = self.variable(node, box.get("outputCollection"), "results")
            result = self.formula(node, box.get("outputElement"), "item_result", needs_feel=True)
            output = (results[0], result) if results and result else None
        until = self.formula(node, outer.findtext("b:completionCondition", "", NAMESPACES), "completion", needs_feel=True)
        sequential = outer.get("isSequential") == "true"
        return collection and MultiInstance(sequential, collection, item and item[0], output, until, output and _looked_at(output[1]))

    def timer(self, node: etree._Element, definition: etree._Element) -> TimerRule | None:
        """The only date, duration or cycle of a timer definition."""
        parts = [(part.text, TIMER_PARTS[local]) for part in definition if (local := split(part.tag)[1]) in TIMER_PARTS]
        if len(parts) != 1 or not (parts[0][0] or "").strip():
            reason = ("应恰好写一个：时间点、时长或循环", "write exactly one of date, duration and cycle")
            self.report.add("bad_timer", place(node), reason=reason)
            return None
        [(text, kind)] = parts
        formula = self.formula(node, text, kind)
        if formula and formula.expression is None and (fault := fault_of(kind, formula.text)):
            self.report.add("bad_timer", place(node), reason=(fault, f"{kind} {formula.text}"))
        return formula and TimerRule(kind, formula)


def _looked_at(formula: Formula) -> str | None:
    """The variable of an expression that is just a variable or a path into one."""
    [name, *inner] = [part.strip() for part in formula.text[1:].split(".")]
    is_path = all(_NAME.fullmatch(part) for part in (name, *inner)) and formula.reads == {name}
    return name if is_path and name not in HOST_NAMES else None


def _number(text: str) -> int | None:
    """A whole number in plain digits, below a thousand million."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _made(root: etree._Element) -> Iterable[str]:
    """Names of variables that the diagram writes."""
    for node in root.iter(f"{{{ZEEBE}}}script", f"{{{ZEEBE}}}calledDecision"):
        yield (node.get("resultVariable") or "").strip()
    for node in root.iter(f"{{{ZEEBE}}}input", f"{{{ZEEBE}}}output"):
        yield (node.get("target") or "").strip().partition(".")[0]
    for node in root.iter(f"{{{ZEEBE}}}loopCharacteristics"):
        yield from ((node.get(attribute) or "").strip() for attribute in ("inputElement", "outputCollection"))
