"""Decision tables (chapter 8). How a table is drawn (`preferredOrientation`) says nothing about what it means: the file always lists
its rules one by one."""

from engine.decisions.model import AGGREGATIONS, HIT_POLICIES, Cell, Input, Output, Rule, Table
from engine.decisions.reading.base import MAX_TEXT, BaseReader, kind_of

MAX_RULES = 2_000
MAX_COLUMNS = 64
MAX_CELLS = 20_000  # of a file
_EXPRESSION = "id label typeRef expressionLanguage"


class TableReader(BaseReader):
    """Reads decision tables."""

    cells = 0  # of all tables so far

    def table(self, element) -> Table | None:
        """The record, or None after a finding."""
        self.attributes(element, "id label hitPolicy aggregation preferredOrientation outputLabel typeRef")
        written = element.get("hitPolicy", "UNIQUE")
        policy, aggregation = HIT_POLICIES.get(written), element.get("aggregation")
        if policy is None:
            known = "、".join(HIT_POLICIES)
            zh, en = f"不支持命中策略 {written}；可用的有 {known}", f"Hit policy {written} is not supported; use {', '.join(HIT_POLICIES)}"
            self.refuse("dmn_hit_policy", element, zh, en)
            return None
        if aggregation is not None and (policy != "C" or aggregation not in AGGREGATIONS):
            self.refuse(
                "dmn_aggregation",
                element,
                f"汇总方式 {aggregation} 只能是 SUM、MIN、MAX 或 COUNT，且只用于 COLLECT",
                f"Aggregation {aggregation} must be SUM, MIN, MAX or COUNT and goes with COLLECT only",
            )
        inputs, outputs, rules = [], [], []
        for child in self.children(element, "description annotation"):
            kind = kind_of(child)
            if kind == "input":
                inputs.append(self.input(child))
            elif kind == "output":
                outputs.append(self.output(child))
            elif kind == "rule":
                rules.append(self.rule(child, len(rules) + 1, len(inputs), len(outputs)))
            else:
                self.unsupported(child)
        self.cells += len(rules) * (len(inputs) + len(outputs))
        self.shape(element, inputs, outputs, rules, aggregation)
        return Table(element.get("id"), policy, aggregation, tuple(inputs), tuple(outputs), tuple(rules), self.type(element))

    def shape(self, element, inputs, outputs, rules, aggregation) -> None:
        """Refuse what is no table or too big a one."""
        if not outputs:
            self.refuse("dmn_shape", element, "决策表没有输出列", "The table has no output column")
        if self.cells > MAX_CELLS:
            zh, en = f"文件里的单元格超过 {MAX_CELLS} 个，请拆成几个文件", f"The file has more than {MAX_CELLS} cells; split it"
            self.refuse("dmn_too_big", element, zh, en)
        if len(rules) > MAX_RULES or len(inputs) + len(outputs) > MAX_COLUMNS:
            self.refuse(
                "dmn_too_big",
                element,
                f"决策表最多 {MAX_RULES} 行、{MAX_COLUMNS} 列",
                f"A table has at most {MAX_RULES} rows and {MAX_COLUMNS} columns",
            )
        names = [output.name for output in outputs]
        if len(outputs) > 1 and (not all(names) or len(set(names)) < len(names)):
            self.refuse("dmn_output_name", element, "多个输出列要各有不同的名称", "Several outputs need different names")
        if len(outputs) > 1 and aggregation:  # 8.2.10: the collect operator is undefined over several outputs
            self.refuse("dmn_aggregation", element, "汇总只用于一个输出列的表", "Aggregation goes with a single output column only")

    def input(self, element) -> Input:
        """A column of conditions."""
        self.attributes(element, "id label")
        expression, type_, allowed = Cell(element.get("id"), ""), None, None
        for child in self.children(element, "description"):
            kind = kind_of(child)
            if kind == "inputExpression":
                self.attributes(child, _EXPRESSION)
                expression, type_ = self.cell(child, MAX_TEXT), self.type(child)
            elif kind == "inputValues":
                allowed = self.values(child)
            else:
                self.unsupported(child)
        if not expression.text.strip():
            self.refuse("dmn_no_input", element, "输入列没有表达式", "An input column has no expression")
        return Input(element.get("id"), element.get("label") or expression.text, expression, type_, allowed)

    def output(self, element) -> Output:
        """A column of conclusions."""
        self.attributes(element, "id label name typeRef")
        allowed = default = None
        for child in self.children(element, "description"):
            kind = kind_of(child)
            if kind == "outputValues":
                allowed = self.values(child)
            elif kind == "defaultOutputEntry":
                self.attributes(child, _EXPRESSION)
                cell = self.cell(child)
                default = cell if cell.text.strip() else None
            else:
                self.unsupported(child)
        name = element.get("name", "")
        return Output(element.get("id"), element.get("label") or name, name, self.type(element), allowed, default)

    def rule(self, element, number: int, inputs: int, outputs: int) -> Rule:
        """A row."""
        self.attributes(element, "id label")
        conditions, conclusions, annotations = [], [], []
        for child in self.children(element, ""):
            kind = kind_of(child)
            if kind == "inputEntry":
                self.attributes(child, _EXPRESSION)
                conditions.append(self.cell(child))
            elif kind == "outputEntry":
                self.attributes(child, _EXPRESSION)
                conclusions.append(self.cell(child))
            elif kind == "description":
                annotations.insert(0, (child.text or "").strip())
            elif kind == "annotationEntry":
                annotations.append(self.cell(child).text.strip())
            else:
                self.unsupported(child)
        if (len(conditions), len(conclusions)) != (inputs, outputs):
            self.refuse(
                "dmn_shape",
                element,
                f"第 {number} 行有 {len(conditions)} 个条件和 {len(conclusions)} 个结果，应为 {inputs} 和 {outputs} 个",
                f"Row {number} has {len(conditions)} conditions and {len(conclusions)} outputs, not {inputs} and {outputs}",
            )
        return Rule(element.get("id") or f"rule-{number}", tuple(conditions), tuple(conclusions), tuple(filter(None, annotations)))
