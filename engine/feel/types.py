"""Types as the language writes them, and whether a value conforms to one (`instance of`, 10.3.2.9)."""

from engine.feel import nodes
from engine.feel.budget import NESTING
from engine.feel.names import Names
from engine.feel.temporal import midnight
from engine.feel.values import (
    BOOLEAN,
    CONTEXT,
    DATE,
    DATE_TIME,
    DAY_TIME,
    FUNCTION,
    LIST,
    NULL,
    NUMBER,
    RANGE,
    STRING,
    TIME,
    YEAR_MONTH,
    kind,
)

ANY = "Any"

# What DMN's typeRefs and FEEL call each type.
TYPE_NAMES = {name: name for name in (NUMBER, STRING, BOOLEAN, LIST, CONTEXT, RANGE, FUNCTION, DATE, TIME, DATE_TIME)} | {
    DAY_TIME: DAY_TIME,
    YEAR_MONTH: YEAR_MONTH,
    "day and time duration": DAY_TIME,
    "year and month duration": YEAR_MONTH,
    "dayTimeDuration": DAY_TIME,
    "yearMonthDuration": YEAR_MONTH,
    "dateTime": DATE_TIME,
    "Any": ANY,
    "any": ANY,
    "Null": NULL,
}
_SEVERAL_WORDS = Names(TYPE_NAMES)


def parse_type(parser) -> nodes.Type:
    """The type standing where `parser` is: one of the language's, or one that the host named."""
    token = parser.token
    name = parser.scoped_name([_SEVERAL_WORDS, Names(parser.types)])
    if not name:
        if token.kind != "name" or (token.text not in TYPE_NAMES and token.text not in parser.types):
            raise parser.error("类型的名称")
        name = parser.advance().text
    if name not in TYPE_NAMES:
        return _host_type(parser, name, token)
    parsed = nodes.Type(TYPE_NAMES[name])
    if not parser.take("<"):
        return parsed
    if parsed.name in (LIST, RANGE):
        parsed.arguments = [parse_type(parser)]
    elif parsed.name == CONTEXT:
        while True:
            key = parser.name_until(":")
            parser.expect(":")
            parsed.entries[key] = parse_type(parser)
            if not parser.take(","):
                break
    elif parsed.name == FUNCTION:
        while not parser.sees(">"):
            parsed.arguments.append(parse_type(parser))
            if not parser.take(","):
                break
    else:
        raise parser.error("不带参数的类型", token=token)
    parser.expect(">")
    if parsed.name == FUNCTION:
        parser.expect("->")
        parsed.result = parse_type(parser)
    return parsed


def _host_type(parser, name: str, token) -> nodes.Type:
    """A type that the host named; it may be made of others that it named."""
    inner = type(parser)(parser.types[name], [], parser.types)
    inner.nesting = parser.nesting + 1
    if inner.nesting > NESTING:
        raise parser.error("不以自身为成分的类型", token=token)
    parsed = parse_type(inner)
    inner.finish(parsed)
    return parsed


def incomplete(type_: nodes.Type) -> bool:
    """Whether a constructed type stands without its parameters: `instance of list` is null (table 61)."""
    parts = [*type_.arguments, *type_.entries.values()]
    if type_.name == FUNCTION:
        return type_.result is None or any(map(incomplete, [*parts, type_.result]))
    return (type_.name in (LIST, CONTEXT, RANGE) and not parts) or any(map(incomplete, parts))


# --- values ----------------------------------------------------------------------------------------------------------


def conforms(value, type_: nodes.Type, run) -> bool:
    """Whether `value` is an instance of the type. Null is an instance of Null alone."""
    what, name = kind(value), type_.name
    if what == NULL:
        return name == NULL
    if name == ANY:
        return True
    if what != name:
        return False
    if name == LIST and type_.arguments:
        run.budget.spend(len(value))
        return all(fits(item, type_.arguments[0], run) for item in value)
    if name == RANGE and type_.arguments:
        ends = [end for end in (value.start, value.end) if end is not None]
        return all(fits(end, type_.arguments[0], run) for end in ends)
    if name == CONTEXT and type_.entries:
        return all(key in value and fits(value[key], entry, run) for key, entry in type_.entries.items())
    if name == FUNCTION and type_.result:
        unknown = nodes.Type(ANY)
        return substitutable(value.type or nodes.Type(FUNCTION, [unknown] * len(value.parameters), result=unknown), type_)
    return True


def fits(value, type_: nodes.Type, run) -> bool:
    """Whether `value` may stand where the type is asked for: null may stand everywhere."""
    return value is None or conforms(value, type_, run)


def coerce(value, type_: nodes.Type, run):
    """`value` where the type is asked for: a list of one stands for its item, an item for a list of one, and a date for
    its first moment; what still does not fit is null (specification 10.3.2.9.4)."""
    if fits(value, type_, run):
        return value
    if kind(value) == DATE and type_.name == DATE_TIME:
        return midnight(value)
    if kind(value) == LIST and len(value) == 1 and fits(value[0], type_, run):
        return value[0]
    if type_.name == LIST and kind(value) != LIST and fits([value], type_, run):
        return [value]
    return None


# --- types of expressions --------------------------------------------------------------------------------------------


def substitutable(type_: nodes.Type, wanted: nodes.Type) -> bool:
    """Whether every instance of one type may stand where the other is wanted (10.3.2.9.2)."""
    if wanted.name == ANY or type_.name == NULL:
        return True
    if type_.name != wanted.name:
        return False
    if wanted.name == FUNCTION:  # parameters the other way round
        pairs = [*zip(wanted.arguments, type_.arguments, strict=False), (type_.result, wanted.result)]
        return len(type_.arguments) == len(wanted.arguments) and all(substitutable(one, other) for one, other in pairs)
    if wanted.entries:
        return all(key in type_.entries and substitutable(type_.entries[key], entry) for key, entry in wanted.entries.items())
    return all(substitutable(one, other) for one, other in zip(type_.arguments or [nodes.Type(ANY)], wanted.arguments, strict=False))


_TRUTHS = (nodes.Comparison, nodes.Logic, nodes.Between, nodes.In, nodes.InstanceOf, nodes.Quantified)


def type_of(node: nodes.Node) -> nodes.Type:
    """What can be told of an expression's type before it runs: that of literals and what they make up, else Any."""
    match node:
        case nodes.Literal():
            return nodes.Type(kind(node.value))
        case nodes.ListOf():
            items = [type_of(item) for item in node.items] or [nodes.Type(NULL)]
            common = next((one for one in items if all(substitutable(item, one) for item in items)), nodes.Type(ANY))
            return nodes.Type(LIST, [common])
        case nodes.ContextOf():
            return nodes.Type(CONTEXT, entries={key: type_of(entry) for key, entry in node.entries})
        case nodes.FunctionOf():
            return nodes.Type(FUNCTION, [type_ or nodes.Type(ANY) for _, type_ in node.parameters], result=type_of(node.body))
        case _:
            return nodes.Type(BOOLEAN if isinstance(node, _TRUTHS) else ANY)
