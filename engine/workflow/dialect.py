"""Reads one node's `zeebe:` extension elements and expressions into the fields of the model."""

import re
from collections.abc import Iterable, Mapping

from lxml import etree

from engine import feel
from engine.workflow.admit import place
from engine.workflow.formula import HOST_NAMES, Formula
from engine.workflow.model import Assignment, Kind, Loop, Mapping_, TimerRule
from engine.workflow.report import Report
from engine.workflow.timing import KIND_NAMES, fault_of, moment
from engine.workflow.vocabulary import BPMN, TIMER_PARTS, ZEEBE

NAMESPACES = {"b": BPMN, "z": ZEEBE}
_NAME = re.compile(r"[^\W\d]\w*")


class Dialect:
    """`names`: all variables the diagram itself makes, so that expressions may use them."""

    def __init__(self, root: etree._Element, report: Report):
        self.report = report
        self.names = HOST_NAMES | {"loopCounter"} | frozenset(_made(root))

    # --- expressions ----------------------------------------------------------------------------------------------------

    def formula(self, node: etree._Element, text: str | None, what: str, needs_feel: bool = False) -> Formula | None:
        """A field's value: None when it is empty or wrong (then with a finding)."""
        text = (text or "").strip()
        if not text:
            return None
        where = place(node)
        if needs_feel and not text.startswith("="):
            message = f"{what}应是以“=”开头的 FEEL 表达式"
            self.report.error("not_an_expression", where, message, f"{what} must be a FEEL expression beginning with '='")
            return None
        try:
            return Formula.read(text, self.names)
        except feel.FeelSyntaxError as error:
            code = "feel_unsupported" if isinstance(error, feel.FeelUnsupported) else "feel_syntax"
            english = f"{what}: FEEL error at line {error.line}, column {error.column}"
            self.report.error(code, where, f"{what}:{error.message}", english, line=error.line, column=error.column)
        except feel.FeelError as error:
            self.report.error("feel_syntax", where, f"{what}:{error.message}", f"{what}: FEEL error")
        return None

    def variable(self, node: etree._Element, text: str | None, what: str) -> tuple[str, ...] | None:
        """A variable, or a path into one."""
        path = tuple((text or "").strip().split("."))
        where = place(node)
        if not all(_NAME.fullmatch(part) for part in path):
            message = f"{what}“{text or ''}”不是变量名(用字母、汉字、数字和下划线,不以数字开头)"
            self.report.error("bad_variable", where, message, f"{what} {text!r} is not the name of a variable")
            return None
        if path[0] in HOST_NAMES:
            self.report.error("reserved_name", where, f"“{path[0]}”是系统用的名字,请换一个变量名", f"{path[0]} is reserved; choose another variable")
            return None
        return path

    # --- extension elements ---------------------------------------------------------------------------------------------

    def extension(self, node: etree._Element, name: str) -> etree._Element | None:
        """The node's own extension element of that name."""
        return node.find(f"b:extensionElements/z:{name}", NAMESPACES)

    def properties(self, node: etree._Element) -> Mapping[str, str]:
        """`zeebe:properties`; a name given twice keeps its last value."""
        found = node.iterfind("b:extensionElements/z:properties/z:property", NAMESPACES)
        return {entry.get("name", ""): entry.get("value", "") for entry in found if entry.get("name")}

    def mappings(self, node: etree._Element, name: str) -> tuple[Mapping_, ...]:
        """`input` or `output` entries, in order."""
        made = []
        for entry in node.iterfind(f"b:extensionElements/z:ioMapping/z:{name}", NAMESPACES):
            target = self.variable(node, entry.get("target"), "输入输出映射的目标")
            source = self.formula(node, entry.get("source"), "输入输出映射的来源")
            if target and source:
                made.append(Mapping_(source, target))
            elif not (entry.get("source") or "").strip():
                self.report.error("missing_source", place(node), "输入输出映射缺少来源", "An input/output mapping has no source")
        return tuple(made)

    def fields(self, node: etree._Element, kind: Kind) -> dict:
        """What the extension elements say, as fields of an `Element` of this kind."""
        found = {
            "properties": self.properties(node),
            "inputs": self.mappings(node, "input"),
            "outputs": self.mappings(node, "output"),
            "loop": self.loop(node),
        }
        read = {Kind.USER_TASK: self._user_task, Kind.SCRIPT_TASK: self._script, Kind.BUSINESS_RULE_TASK: self._decision}.get(kind)
        return found | (read(node) if read else {})

    def _user_task(self, node: etree._Element) -> dict:
        form, assigned, schedule, priority = (
            self.extension(node, name) for name in ("formDefinition", "assignmentDefinition", "taskSchedule", "priorityDefinition")
        )
        if form is None or not form.get("formId"):
            self.report.warn("no_form", place(node), "这个用户任务没有表单,办理时没有可填的内容", "This user task has no form")

        def read(box, attribute, what):
            return None if box is None else self.formula(node, box.get(attribute), what)

        fields = {
            "form_id": form.get("formId") if form is not None else None,
            "assignment": Assignment(
                read(assigned, "assignee", "办理人"),
                read(assigned, "candidateGroups", "候选组"),
                read(assigned, "candidateUsers", "候选人"),
            ),
            "due": read(schedule, "dueDate", "截止时间"),
            "follow_up": read(schedule, "followUpDate", "跟进时间"),
            "priority": read(priority, "priority", "优先级"),
        }
        self._check_user_task(node, fields)
        return fields

    def _check_user_task(self, node: etree._Element, fields: dict) -> None:
        from datetime import UTC

        if fields["form_id"] and fields["form_id"].lstrip().startswith("="):
            self.report.error("not_an_expression", place(node), "表单编号不能是表达式", "The form id cannot be an expression")
        for field, what in (("due", "截止时间"), ("follow_up", "跟进时间")):
            if fields[field] and fields[field].expression is None:
                try:
                    moment(fields[field].text, UTC)
                except (ValueError, OverflowError) as error:
                    self.report.error("bad_time", place(node), f"{what}不正确:{error}", f"{field} is not a date and time")
        priority = fields["priority"]
        if priority and priority.expression is None and not (priority.text.isdecimal() and int(priority.text) <= 100):
            self.report.error("bad_priority", place(node), "优先级应是 0 到 100 的整数", "Priority must be a whole number from 0 to 100")

    def _script(self, node: etree._Element) -> dict:
        box = self.extension(node, "script")
        if box is None:
            self.report.error("no_script", place(node), "脚本任务没有 FEEL 表达式", "The script task has no FEEL expression")
            return {}
        script = self.formula(node, box.get("expression"), "脚本", needs_feel=True)
        if not (box.get("expression") or "").strip():
            self.report.error("no_script", place(node), "脚本任务没有 FEEL 表达式", "The script task has no FEEL expression")
        return {"script": script, "result_variable": self._result(node, box)}

    def _decision(self, node: etree._Element) -> dict:
        box = self.extension(node, "calledDecision")
        decision = None if box is None else self.formula(node, box.get("decisionId"), "决策表编号")
        if decision is None:
            self.report.error("no_decision", place(node), "业务规则任务没有指定决策表", "The business rule task names no decision")
            return {}
        return {"decision_id": decision, "result_variable": self._result(node, box)}

    def _result(self, node: etree._Element, box: etree._Element) -> str | None:
        path = self.variable(node, box.get("resultVariable"), "结果变量")
        if path and len(path) > 1:
            self.report.error("bad_variable", place(node), "结果变量不能带点号", "The result variable cannot be a path")
        return path[0] if path else None

    # --- parts of BPMN that hold expressions ----------------------------------------------------------------------------

    def loop(self, node: etree._Element) -> Loop | None:
        """`standardLoopCharacteristics`."""
        box = node.find("b:standardLoopCharacteristics", NAMESPACES)
        if box is None:
            return None
        condition = self.formula(node, box.findtext("b:loopCondition", None, NAMESPACES), "循环条件", needs_feel=True)
        text = box.get("loopMaximum")
        maximum = int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None
        if text is not None and not maximum:
            self.report.error("bad_loop", place(node), "循环上限应是正整数", "loopMaximum must be a positive whole number")
        elif condition is None and maximum is None:
            self.report.error("bad_loop", place(node), "循环既没有条件也没有上限,永远不会结束", "The loop has neither a condition nor a maximum")
        return Loop(condition, maximum, box.get("testBefore") == "true")

    def timer(self, node: etree._Element, definition: etree._Element) -> TimerRule | None:
        """The only date, duration or cycle of a timer definition."""
        parts = [(part, TIMER_PARTS[etree.QName(part).localname]) for part in definition if etree.QName(part).localname in TIMER_PARTS]
        where = place(node)
        if len(parts) != 1 or not (parts[0][0].text or "").strip():
            message = "定时器应恰好写一个:时间点、时长或循环"
            self.report.error("bad_timer", where, message, "A timer needs exactly one of date, duration and cycle")
            return None
        part, kind = parts[0]
        formula = self.formula(node, part.text, f"定时器的{KIND_NAMES[kind]}")
        if formula and formula.expression is None and (fault := fault_of(kind, formula.text)):
            self.report.error("bad_timer", where, fault, f"The timer's {kind} {formula.text!r} is not valid")
        return formula and TimerRule(kind, formula)


def _made(root: etree._Element) -> Iterable[str]:
    """Names of variables that the diagram writes."""
    for node in root.iter(f"{{{ZEEBE}}}script", f"{{{ZEEBE}}}calledDecision"):
        yield (node.get("resultVariable") or "").strip()
    for node in root.iter(f"{{{ZEEBE}}}input", f"{{{ZEEBE}}}output"):
        yield (node.get("target") or "").strip().partition(".")[0]
