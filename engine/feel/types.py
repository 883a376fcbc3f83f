"""Types as the language writes them, and whether a value conforms to one (`instance of`, 10.3.2.9)."""

from engine.feel import nodes
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
    """The type standing where `parser` is."""
    token = parser.token
    name = parser.scoped_name([_SEVERAL_WORDS])
    if not name:
        if token.kind != "name" or token.text not in TYPE_NAMES:
            raise parser.error("类型的名称")
        name = parser.advance().text
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
    if parsed.name == FUNCTION and parser.take("->"):
        parsed.result = parse_type(parser)
    return parsed


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
    if name == FUNCTION and type_.arguments:
        return len(value.parameters) == len(type_.arguments)
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
