"""The document: item definitions (7.3.2) and the elements of the requirements graph (6.3)."""

from collections.abc import Iterator

from lxml import etree

from engine.decisions.model import Data, Function, Item, Knowledge, Node, Parameter, Service, Source
from engine.decisions.reading.base import kind_of
from engine.decisions.reading.boxed import BoxedReader
from engine.findings import Finding

MAX_TYPES = 2_000
_DOCUMENTATION = (
    "description knowledgeSource textAnnotation association group elementCollection performanceIndicator organizationUnit"
    " businessContextElement"
)
_OF_DECISIONS = (
    "description question allowedAnswers authorityRequirement supportedObjective impactedPerformanceIndicator decisionMaker"
    " decisionOwner usingProcess usingTask"
)


def read(xml: bytes, file: str | None = None) -> tuple[Source, list[Finding]]:
    """The file's records and every finding; where there is an error the records are incomplete."""
    reader = FileReader(file)
    root = reader.parse(xml)
    if root is not None:
        reader.definitions(root)
    return reader.source, reader.findings


class FileReader(BoxedReader):
    """Reads whole files."""

    def definitions(self, root) -> None:
        """Everything in the root element."""
        self.source.id, self.source.name = root.get("id", ""), root.get("name", "")
        self.language(root)
        self.attributes(root, "id name namespace label expressionLanguage typeLanguage exporter exporterVersion")
        self.unique_ids(root)
        children = list(self.children(root, _DOCUMENTATION))
        types = [child for child in children if kind_of(child) == "itemDefinition"]
        self.type_names = frozenset(child.get("name", "").strip() for child in types)
        for child in types:
            self.item_definition(child)
        for child in children:
            kind = kind_of(child)
            if kind in _ELEMENTS:
                before = len(self.findings)
                _ELEMENTS[kind](self, child)
                if len(self.findings) > before:
                    self.source.faulty[child.get("id", child.get("name", ""))] = self.findings[before:]
            elif kind == "import":
                zh = f"不支持导入其他模型（“{child.get('name', '')}”），请把用到的决策写在同一个文件里"
                self.refuse("dmn_unsupported", child, zh, "Importing other models is not supported; keep what is used in one file")
            elif kind != "itemDefinition":
                self.unsupported(child)
        if not (self.source.nodes or self.source.knowledge) and not self.findings:
            self.refuse("dmn_empty", root, "文件里没有决策", "The file holds no decision")

    def unique_ids(self, root) -> None:
        """Refuse ids used twice, wherever they stand."""
        seen = set()
        for element in root.iter(etree.Element):
            ident = element.get("id")
            if ident in seen and etree.QName(element).namespace == self.model:
                self.refuse("duplicate_id", ident, f"编号“{ident}”出现了两次", f'The id "{ident}" is used twice')
            if ident is not None:
                seen.add(ident)

    # --- types ------------------------------------------------------------------------------------------------------------

    def item_definition(self, element) -> None:
        """A named type."""
        item = self.item(element)
        if not item.name or item.name in self.source.types:
            return self.refuse("dmn_name", element, "类型要有各不相同的名称", "Types need different names")
        if len(self.source.types) >= MAX_TYPES:
            return self.refuse("dmn_too_big", element, f"类型超过 {MAX_TYPES} 个", f"More than {MAX_TYPES} types")
        self.source.types[item.name] = item

    def item(self, element) -> Item:
        """An item definition or component."""
        self.attributes(element, "id name label typeLanguage isCollection")
        base = allowed = constraint = parameters = None
        components = []
        for child in self.children(element, "description"):
            kind = kind_of(child)
            if kind == "typeRef":
                base = self.type_named(child, child.text or "")
            elif kind == "allowedValues":
                allowed = self.values(child)
            elif kind == "typeConstraint":
                constraint = self.values(child)
            elif kind == "itemComponent":
                components.append(self.component(child))
            elif kind == "functionItem":
                base, parameters = self.function_item(child)
            else:
                self.unsupported(child)
        if components and base:
            self.refuse("dmn_type", element, "类型要么引用另一个类型，要么有组成部分", "A type has a typeRef or components, not both")
        if len({component.name for component in components}) < len(components):
            self.refuse("dmn_type", element, "组成部分不能重名", "Components need different names")
        collection = element.get("isCollection") in ("true", "1")
        name = element.get("name", "").strip()
        return Item(element.get("id"), name, base, collection, tuple(components), allowed, constraint, parameters)

    def component(self, element) -> Item:
        self.depth += 1
        if self.depth > 30:
            self.refuse("dmn_too_deep", element, "类型嵌套超过 30 层", "Types are nested deeper than 30 levels")
            return Item(None, "")
        item = self.item(element)
        self.depth -= 1
        return item

    def function_item(self, element) -> tuple[str | None, tuple[Parameter, ...]]:
        """The type of a function: of its result, and of its parameters."""
        self.attributes(element, "id label outputTypeRef")
        parameters = []
        for child in self.children(element, "description"):
            if kind_of(child) == "parameters":
                parameters.append(self.parameter(child))
            else:
                self.unsupported(child)
        return self.type(element, "outputTypeRef"), tuple(parameters)

    # --- the graph --------------------------------------------------------------------------------------------------------

    def input_data(self, element) -> None:
        """Input data; a variable is optional."""
        self.attributes(element, "id name label")
        name = variable = " ".join(element.get("name", "").split())
        type_ = None
        for child in self.children(element, "description"):
            if kind_of(child) == "variable":
                parameter = self.parameter(child)
                variable, type_ = parameter.name or name, parameter.type
            else:
                self.unsupported(child)
        ident = element.get("id", name)
        self.source.inputs[ident] = Data(ident, name, variable, type_)

    def decision(self, element) -> None:
        """A decision; its logic may be missing."""
        ident = element.get("id")
        if not ident:
            return self.refuse("dmn_id", element, "决策没有编号（id）", "A decision has no id")
        self.attributes(element, "id name label")
        variable = type_ = None
        bodies, requires, knowledge = [], [], []
        for child in self.children(element, _OF_DECISIONS):
            kind = kind_of(child)
            if kind == "variable":
                parameter = self.parameter(child)
                variable, type_ = parameter.name or None, parameter.type
            elif kind == "informationRequirement":
                requires += self.references(child, "requiredDecision", "requiredInput")
            elif kind == "knowledgeRequirement":
                knowledge += self.references(child, "requiredKnowledge")
            elif self.is_boxed(child):
                bodies.append(self.boxed(child))
            else:
                self.unsupported(child)
        if len(bodies) > 1:
            self.refuse("dmn_no_logic", element, "决策只能有一个表达式", "A decision has one expression only")
        name = " ".join(element.get("name", "").split()) or ident
        body = bodies[0] if bodies else None
        self.source.nodes[ident] = Node(ident, name, variable, type_, body, tuple(requires), tuple(knowledge))

    def knowledge(self, element) -> None:
        """A business knowledge model."""
        self.attributes(element, "id name label")
        ident, name = element.get("id", element.get("name", "")), " ".join(element.get("name", "").split())
        type_, function, knowledge = None, Function((), None, None), []
        for child in self.children(element, "description authorityRequirement"):
            kind = kind_of(child)
            if kind == "variable":
                parameter = self.parameter(child)
                name, type_ = parameter.name or name, parameter.type
            elif kind == "encapsulatedLogic":
                function = self.function(child)
            elif kind == "knowledgeRequirement":
                knowledge += self.references(child, "requiredKnowledge")
            else:
                self.unsupported(child)
        self.source.knowledge[ident] = Knowledge(ident, name, type_, function, tuple(knowledge))

    def service(self, element) -> None:
        """A decision service."""
        self.attributes(element, "id name label")
        ident, name = element.get("id", element.get("name", "")), " ".join(element.get("name", "").split())
        type_ = None
        found = {"outputDecision": [], "encapsulatedDecision": [], "inputDecision": [], "inputData": []}
        for child in self.children(element, "description"):
            kind = kind_of(child)
            if kind == "variable":
                parameter = self.parameter(child)
                name, type_ = parameter.name or name, parameter.type
            elif kind in found:
                found[kind] += self.reference(child)
            else:
                self.unsupported(child)
        if not found["outputDecision"]:
            self.refuse("dmn_service", element, "决策服务没有输出决策", "The decision service has no output decision")
        outputs, decisions, data = (tuple(found[kind]) for kind in ("outputDecision", "inputDecision", "inputData"))
        self.source.services[ident] = Service(ident, name, type_, outputs, decisions, data)

    def references(self, element, *kinds: str) -> Iterator[str]:
        """The ids that a requirement names."""
        children = list(self.children(element, "description"))
        if not children:
            self.refuse("dmn_requirement", element, "这条依赖没有指向任何元素", "The requirement names no element")
        for child in children:
            if kind_of(child) in kinds:
                yield from self.reference(child)
            else:
                self.unsupported(child)

    def reference(self, element) -> Iterator[str]:
        """The id an `href` names; only this file's own elements can be named."""
        href, namespace = element.get("href", ""), element.getroottree().getroot().get("namespace")
        place, _, ident = href.partition("#")
        if ident and place in ("", namespace):
            yield ident
        else:
            self.refuse(
                "dmn_requirement",
                element,
                f"只能引用同一文件中的元素，不能引用“{href}”",
                f'Only elements of the same file can be required, not "{href}"',
            )


_ELEMENTS = {
    "inputData": FileReader.input_data,
    "decision": FileReader.decision,
    "businessKnowledgeModel": FileReader.knowledge,
    "decisionService": FileReader.service,
}
