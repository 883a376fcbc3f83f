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


def requires(*decisions: str, data: tuple[str, ...] = ()) -> str:
    """The arrows into a decision."""
    arrows = [f'<informationRequirement><requiredDecision href="#{one}"/></informationRequirement>' for one in decisions]
    arrows += [f'<informationRequirement><requiredInput href="#{one}"/></informationRequirement>' for one in data]
    return "".join(arrows)


def _values(tag: str, allowed: list[str]) -> str:
    return f"<{tag}><text>{escape(allowed[0])}</text></{tag}>" if allowed else ""
