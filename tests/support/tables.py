"""DMN files for tests, written as dmn-js writes them."""

from xml.sax.saxutils import escape, quoteattr

MODEL = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def file(*decisions: str, attributes: str = "") -> bytes:
    """A file of decisions."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<definitions xmlns="{MODEL}" id="file" name="File" '
        f'namespace="http://camunda.org/schema/1.0/dmn" {attributes}>{"".join(decisions)}</definitions>'
    ).encode()


def table(inputs, outputs, rules, hit="UNIQUE", ident="decision", aggregation=None, before="", name=None) -> str:
    """A decision that is a table. `inputs`: (expression, type[, allowed]); `outputs`: (name, type[, allowed]);
    `rules`: rows of cell texts, the row's id `r1`, `r2` …; `before`: XML in front of the table."""
    parts = [f'<decision id="{ident}" name={quoteattr(name or ident)}>{before}<decisionTable id="{ident}_table" hitPolicy="{hit}"']
    parts.append(f' aggregation="{aggregation}">' if aggregation else ">")
    for number, (text, kind, *allowed) in enumerate(inputs, 1):
        parts.append(f'<input id="{ident}_i{number}" label="input {number}"><inputExpression id="{ident}_ie{number}" typeRef="{kind}">')
        parts.append(f"<text>{escape(text)}</text></inputExpression>{_values('inputValues', allowed)}</input>")
    for number, (output, kind, *allowed) in enumerate(outputs, 1):
        parts.append(f'<output id="{ident}_o{number}" name="{output}" typeRef="{kind}">{_values("outputValues", allowed)}</output>')
    prefix = "" if ident == "decision" else f"{ident}_"
    for row, cells in enumerate(rules, 1):
        parts.append(f'<rule id="{prefix}r{row}"><description>note {row}</description>')
        for column, cell in enumerate(cells, 1):
            kind = "inputEntry" if column <= len(inputs) else "outputEntry"
            parts.append(f'<{kind} id="{prefix}r{row}c{column}"><text>{escape(cell)}</text></{kind}>')
        parts.append("</rule>")
    return "".join([*parts, "</decisionTable></decision>"])


def literal(text, ident="decision", kind="", variable=None, before="") -> str:
    """A decision that is one expression."""
    return (
        f'<decision id="{ident}" name="{ident}"><variable id="{ident}_v" name="{variable or ident}" typeRef="{kind}"/>{before}'
        f'<literalExpression id="{ident}_l"><text>{escape(text)}</text></literalExpression></decision>'
    )


def requires(*decisions: str, data: tuple[str, ...] = (), functions: tuple[str, ...] = ()) -> str:
    """The arrows into a decision."""
    arrows = [f'<informationRequirement><requiredDecision href="#{one}"/></informationRequirement>' for one in decisions]
    arrows += [f'<informationRequirement><requiredInput href="#{one}"/></informationRequirement>' for one in data]
    arrows += [f'<knowledgeRequirement><requiredKnowledge href="#{one}"/></knowledgeRequirement>' for one in functions]
    return "".join(arrows)


def boxed(body: str, ident="decision", kind="", before="") -> str:
    """A decision that is the boxed expression `body`."""
    variable = f'<variable name="{ident}" typeRef="{kind}"/>'
    return f'<decision id="{ident}" name="{ident}">{variable}{before}{body}</decision>'


def expression(text: str) -> str:
    """A literal expression."""
    return f"<literalExpression><text>{escape(text)}</text></literalExpression>"


def data(name: str, kind="") -> str:
    """Input data; its id is its name without blanks."""
    return f'<inputData id="{name.replace(" ", "")}" name="{name}"><variable name="{name}" typeRef="{kind}"/></inputData>'


def knowledge(ident: str, parameters: str, body: str, kind="", before="") -> str:
    """A business knowledge model. `parameters`: name or name:type, with commas; `body`: FEEL, or a boxed expression."""
    pairs = [f"{one}:".split(":")[:2] for one in parameters.split(", ") if one]
    formal = "".join(f'<formalParameter name="{name}" typeRef="{type_}"/>' for name, type_ in pairs)
    inside = body if body.startswith("<") else expression(body).replace(">", f' id="{ident}_l">', 1)
    variable = f'<variable name="{ident}" typeRef="{kind}"/>'
    logic = f"<encapsulatedLogic>{formal}{inside}</encapsulatedLogic>"
    return f'<businessKnowledgeModel id="{ident}" name="{ident}">{variable}{logic}{before}</businessKnowledgeModel>'


def kind(name: str, base: str = "", allowed: str = "", collection=False, components: str = "", constraint: str = "") -> str:
    """An item definition; `components` are made by `kind` too."""
    inside = components.replace("itemDefinition", "itemComponent") or f"<typeRef>{base}</typeRef>"
    for tag, tests in (("allowedValues", allowed), ("typeConstraint", constraint)):
        inside += f"<{tag}><text>{escape(tests)}</text></{tag}>" if tests else ""
    return f'<itemDefinition id="{name.replace(" ", "")}" name="{name}" isCollection="{str(collection).lower()}">{inside}</itemDefinition>'


def _values(tag: str, allowed: list[str]) -> str:
    return f"<{tag}><text>{escape(allowed[0])}</text></{tag}>" if allowed else ""
