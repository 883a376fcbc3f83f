"""Reading a DMN 1.3 file as dmn-js writes it into plain records. Nothing is compiled here, and nothing is skipped in silence:
every element and attribute is either understood, harmless (documentation, drawing) or a finding that refuses the deployment.
"""

from collections.abc import Iterator

from lxml import etree

from engine import untrusted
from engine.decisions.model import AGGREGATIONS, HIT_POLICIES, TYPES, Cell, Input, Literal, Node, Output, Rule, Source, Table
from engine.findings import Finding, Findings

MODEL = "https://www.omg.org/spec/DMN/20191111/MODEL/"
OLD_MODELS = ("http://www.omg.org/spec/DMN/", "https://www.omg.org/spec/DMN/")
FEEL = ("", "feel", "https://www.omg.org/spec/DMN/20191111/FEEL/")

# Bounds on what a supervisor may upload; the largest table that makes sense on a screen is far below them.
MAX_BYTES = 4_000_000
MAX_CELL = 2_000  # characters
MAX_RULES = 2_000
MAX_COLUMNS = 64
MAX_CELLS = 20_000  # of a file
_REFUSED = {
    "file_too_large": ("dmn_too_big", f"文件超过 {MAX_BYTES // 1_000_000} MB", "The file is too big"),
    "too_many_nodes": ("dmn_too_big", f"文件里的 XML 元素超过 {untrusted.MAX_NODES} 个", "The file has too many XML elements"),
    "doctype": ("doctype", "不允许文档类型声明（DOCTYPE）", "A DOCTYPE is not allowed"),
    "not_xml": ("xml", "不是完好的 XML:", "Not well-formed XML: "),
}


def read(xml: bytes, file: str | None = None) -> tuple[Source, list[Finding]]:
    """The file's records and every finding; where there is an error the records are incomplete."""
    reader = _Reader(file)
    root = reader.parse(xml)
    if root is not None:
        reader.definitions(root)
    return reader.source, reader.findings


class _Reader:
    """Walks the tree once and gathers records and findings."""

    def __init__(self, file: str | None):
        self.file = file
        self.findings = Findings()
        self.source = Source()
        self.cells = 0  # of all tables so far

    def refuse(self, code: str, element, zh: str, en: str) -> None:
        if self.findings.full:
            return
        ident = element if element is None or isinstance(element, str) else _nearest_id(element)
        self.findings.append(Finding(code, zh, en, element=ident, file=self.file))

    # --- the document ---------------------------------------------------------------------------------------------------

    def parse(self, xml: bytes):
        try:
            root = untrusted.read_xml(xml, MAX_BYTES)
        except untrusted.Refused as refused:
            code, zh, en = _REFUSED[refused.code]
            reason = refused.reason
            self.findings.append(Finding(code, zh + reason[0], en + reason[1], None, self.file, refused.line, refused.column))
            return None
        name = etree.QName(root)
        if name.localname != "definitions" or name.namespace != MODEL:
            if name.namespace and name.namespace.startswith(OLD_MODELS):
                return self.refuse(
                    "dmn_version",
                    root,
                    "只支持 DMN 1.3；请在 dmn-js 中打开后另存",
                    "Only DMN 1.3 is supported; open and save the file in dmn-js",
                )
            return self.refuse("dmn_root", root, "这不是 DMN 文件", "This is not a DMN file")
        return root

    def definitions(self, root) -> None:
        self.source.id, self.source.name = root.get("id", ""), root.get("name", "")
        self.language(root)
        self.attributes(root, "id name namespace label expressionLanguage typeLanguage exporter exporterVersion")
        self.unique_ids(root)
        for child in self.children(root, "description knowledgeSource textAnnotation association group"):
            kind = etree.QName(child).localname
            if kind == "decision":
                self.decision(child)
            elif kind == "inputData":
                self.input_data(child)
            else:
                self.unsupported(child)
        if not self.source.nodes and not self.findings:
            self.refuse("dmn_empty", root, "文件里没有决策", "The file holds no decision")

    def unique_ids(self, root) -> None:
        seen = set()
        for element in root.iter(etree.Element):
            ident = element.get("id")
            if ident in seen:
                self.refuse("duplicate_id", ident, f"编号“{ident}”出现了两次", f'The id "{ident}" is used twice')
            if ident is not None:
                seen.add(ident)

    def input_data(self, element) -> None:
        self.attributes(element, "id name label")
        name, type_ = element.get("name", ""), None
        for child in self.children(element, "description"):
            if etree.QName(child).localname == "variable":
                name, type_ = child.get("name") or name, self.type(child)
            else:
                self.unsupported(child)
        self.source.inputs[element.get("id", name)] = (name, type_)

    # --- a decision -------------------------------------------------------------------------------------------------------

    def decision(self, element) -> None:
        ident = element.get("id")
        if not ident:
            return self.refuse("dmn_id", element, "决策没有编号（id）", "A decision has no id")
        self.attributes(element, "id name label")
        variable = type_ = body = None
        bodies, requires = 0, []
        for child in self.children(element, "description question allowedAnswers authorityRequirement"):
            kind = etree.QName(child).localname
            if kind == "variable":
                self.attributes(child, "id name label typeRef")
                variable, type_ = child.get("name"), self.type(child)
            elif kind == "informationRequirement":
                requires += self.requirement(child)
            elif kind == "decisionTable":
                body, bodies = self.table(child), bodies + 1
            elif kind == "literalExpression":
                self.attributes(child, "id label typeRef expressionLanguage")
                body, bodies = Literal(self.cell(child), self.type(child)), bodies + 1
            else:
                self.unsupported(child)
        if bodies != 1 and not self.findings:
            self.refuse("dmn_no_logic", element, "决策要有一张表或一个表达式", "A decision needs one table or one expression")
        self.source.nodes.append(Node(ident, element.get("name") or ident, variable, type_, body, tuple(requires)))

    def requirement(self, element) -> Iterator[str]:
        for child in self.children(element, "description"):
            href = child.get("href", "")
            if etree.QName(child).localname not in ("requiredDecision", "requiredInput"):
                self.unsupported(child)
            elif not href.startswith("#"):
                self.refuse(
                    "dmn_requirement",
                    element,
                    f"只能引用同一文件中的决策，不能引用“{href}”",
                    f'Only decisions of the same file can be required, not "{href}"',
                )
            else:
                yield href[1:]

    def table(self, element) -> Table | None:
        self.attributes(element, "id label hitPolicy aggregation preferredOrientation outputLabel typeRef")
        written = element.get("hitPolicy", "UNIQUE")
        policy, aggregation = HIT_POLICIES.get(written), element.get("aggregation")
        if policy is None:
            self.refuse(
                "dmn_hit_policy",
                element,
                f"不支持命中策略 {written}；请用 UNIQUE、ANY、FIRST、RULE ORDER 或 COLLECT",
                f"Hit policy {written} is not supported; use UNIQUE, ANY, FIRST, RULE ORDER or COLLECT",
            )
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
            kind = etree.QName(child).localname
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
        return Table(element.get("id"), policy, aggregation, tuple(inputs), tuple(outputs), tuple(rules))

    def shape(self, element, inputs, outputs, rules, aggregation) -> None:
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
        if len(outputs) > 1 and aggregation:
            self.refuse(
                "dmn_aggregation", element, "汇总只用于一个输出列的表", "Aggregation goes with a single output column only"
            )

    def input(self, element) -> Input:
        self.attributes(element, "id label")
        expression, type_, allowed = Cell(element.get("id"), ""), None, None
        for child in self.children(element, "description"):
            kind = etree.QName(child).localname
            if kind == "inputExpression":
                self.attributes(child, "id label typeRef expressionLanguage")
                expression, type_ = self.cell(child), self.type(child)
            elif kind == "inputValues":
                allowed = self.values(child)
            else:
                self.unsupported(child)
        if not expression.text.strip():
            self.refuse("dmn_no_input", element, "输入列没有表达式", "An input column has no expression")
        return Input(element.get("id"), element.get("label") or expression.text, expression, type_, allowed)

    def output(self, element) -> Output:
        self.attributes(element, "id label name typeRef")
        allowed = None
        for child in self.children(element, "description"):
            kind = etree.QName(child).localname
            if kind == "outputValues":
                allowed = self.values(child)
            elif kind == "defaultOutputEntry":
                self.refuse("dmn_default", child, "不支持默认输出值", "Default output values are not supported")
            else:
                self.unsupported(child)
        name = element.get("name", "")
        return Output(element.get("id"), element.get("label") or name, name, self.type(element), allowed)

    def values(self, element) -> Cell | None:
        self.attributes(element, "id label expressionLanguage")
        cell = self.cell(element)
        return cell if cell.text.strip() else None

    def rule(self, element, number: int, inputs: int, outputs: int) -> Rule:
        self.attributes(element, "id label")
        conditions, conclusions, annotations = [], [], []
        for child in self.children(element, ""):
            kind = etree.QName(child).localname
            if kind == "inputEntry":
                self.attributes(child, "id label typeRef expressionLanguage")
                conditions.append(self.cell(child))
            elif kind == "outputEntry":
                self.attributes(child, "id label typeRef expressionLanguage")
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

    # --- small parts --------------------------------------------------------------------------------------------------------

    def cell(self, element) -> Cell:
        """The text of an expression element, its language checked."""
        self.language(element)
        texts = list(self.children(element, "description"))
        for child in texts:
            if etree.QName(child).localname != "text" or len(child) or len(texts) > 1:
                self.unsupported(child)
        text = (texts[0].text or "") if texts else ""
        if len(text) > MAX_CELL:
            self.refuse(
                "dmn_cell_too_long", element, f"表达式超过 {MAX_CELL} 个字符", f"The expression is longer than {MAX_CELL} characters"
            )
            text = ""
        return Cell(_nearest_id(element), text)

    def type(self, element) -> str | None:
        written = element.get("typeRef", "")
        if written not in TYPES:
            self.refuse("dmn_type", element, f"不支持类型“{written}”", f'Type "{written}" is not supported')
        return TYPES.get(written)

    def language(self, element) -> None:
        written = element.get("expressionLanguage", "")
        if written not in FEEL:
            zh, en = f"表达式语言只能是 FEEL，不能是“{written}”", f'The expression language must be FEEL, not "{written}"'
            self.refuse("dmn_language", element, zh, en)

    def attributes(self, element, known: str) -> None:
        """Attributes of other vocabularies are the editor's own (column widths), except Camunda 7's, which change the meaning."""
        for name in element.attrib:
            qname = etree.QName(name)
            if qname.namespace is None:
                if qname.localname not in known.split():
                    self.unknown_attribute(element, name)
            elif "camunda.org/schema" in qname.namespace and "dmn" in qname.namespace:
                if qname.localname not in ("historyTimeToLive", "versionTag"):
                    self.unknown_attribute(element, f"camunda:{qname.localname}")

    def unknown_attribute(self, element, name: str) -> None:
        self.refuse("dmn_unsupported", element, f"不支持属性“{name}”", f'Attribute "{name}" is not supported')

    def children(self, element, documentation: str) -> Iterator:
        """The child elements that mean something: not drawing, not `extensionElements`, not those named in `documentation`."""
        for child in element:
            if isinstance(child, etree._Entity):
                self.refuse("entity", element, "不允许实体引用", "Entity references are not allowed")
                continue
            name = etree.QName(child)
            if name.namespace != MODEL:
                if name.localname != "DMNDI":
                    self.unsupported(child)
            elif name.localname != "extensionElements" and name.localname not in documentation.split():
                yield child

    def unsupported(self, element) -> None:
        name = etree.QName(element).localname
        self.refuse("dmn_unsupported", element, f"不支持元素“{name}”", f'Element "{name}" is not supported')


def _nearest_id(element) -> str | None:
    """The id a person finds in the editor: the element's own or that of the nearest element around it."""
    while element is not None and element.get("id") is None:
        element = element.getparent()
    return None if element is None else element.get("id")
