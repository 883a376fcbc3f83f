"""What authors write by habit, from other languages or from speech, and what FEEL has for it: for messages alone."""

_WORDS = ("and or not if then else for in return some every satisfies between instance of function true false null").split()

_SIGNS = {
    "&&": "and",
    "&": "+",
    "||": "or",
    "!": "not(…)",
    "%": "modulo(…, …)",
    "^": "**",
    ";": ",",
    "“": '"',
    "”": '"',
    "‘": '"',
    "’": '"',
    "'": '"',
    "?": "if … then … else …",
    "..": "[… .. …]",
    "≥": ">=",
    "≤": "<=",
    "≠": "!=",
    "×": "*",
    "÷": "/",
    "是": "=",
    "is": "=",
    "as": "instance of",
    "where": "satisfies",
    "of": "in",
    "to": "and",
    "elif": "else if",
    "elseif": "else if",
    "int": "number",
    "integer": "number",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "bool": "boolean",
    "text": "string",
    "str": "string",
    "datetime": "date and time",
    "duration": "days and time duration",
    "map": "context",
    "object": "context",
    "array": "list",
    "大于": ">",
    "小于": "<",
    "等于": "=",
    "不等于": "!=",
    "大于等于": ">=",
    "小于等于": "<=",
    "并且": "and",
    "而且": "and",
    "且": "and",
    "或": "or",
    "或者": "or",
    "如果": "if",
    "那么": "then",
    "否则": "else",
}
_PAIRS = {
    "> =": ">=",
    "< =": "<=",
    "! =": "!=",
    "= >": ">=",
    "= <": "<=",
    "= =": "=",
    ": =": "=",
    "< >": "!=",
    "+ +": "+",
    "* *": "**",
    "is not": "!=",
}


def meant(found: str, before: str) -> tuple[str, str]:
    """What of `found`, which stands after `before`, was a slip, and what was probably meant; empty when nobody knows."""
    if f"{before} {found}" in _PAIRS:
        return f"{before}{found}", _PAIRS[f"{before} {found}"]
    if before == "not":
        return found, "not(…)"
    for word in (found, before):
        if word not in _WORDS and word.lower() in _WORDS:
            return word, word.lower()
    return found, _SIGNS.get(found, "")


def meant_by_stray(text: str, offset: int) -> str:
    """What was probably meant by characters that no token begins with."""
    return _SIGNS.get(text[offset : offset + 2]) or _SIGNS.get(text[offset], "")
