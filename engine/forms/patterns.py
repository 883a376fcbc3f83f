"""`validate.pattern` of a field: a JavaScript regular expression that an author wrote, run here without letting it run away.

Python's `re` backtracks, so a pattern is admitted only if the number of ways it can try an input of `LONGEST` characters is
bounded by `WAYS`: the product of the choices in its tree. `(a+)+`, `(a|a)*` and five `.*` in a row fail that; what authors write
for identity cards, codes and plates passes.
"""

import re
import re._constants as sre
import re._parser as parser

# Longest value a pattern is tried on; a longer one does not match.
LONGEST = 200
# Most ways to try one input; the engine tries some 5·10⁷ a second.
WAYS = 20_000_000
SOURCE = 300


class PatternRefused(ValueError):
    """The pattern cannot be used: `args[0]` says why in Chinese, `args[1]` in English."""


def compile_pattern(source: str) -> re.Pattern:
    """The pattern for `search`; PatternRefused if it is not one, needs too long, or means something else in JavaScript."""
    if len(source) > SOURCE:
        raise PatternRefused(f"正则表达式超过 {SOURCE} 个字符", f"the pattern is longer than {SOURCE} characters")
    python = _ends(source)
    try:
        tree = parser.parse(python, re.ASCII)
        compiled = re.compile(python, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternRefused(f"正则表达式有误：{error}", f"not a regular expression: {error}") from error
    if tree.state.groupdict or tree.state.flags & ~(re.ASCII | re.UNICODE):
        raise PatternRefused("不支持 Python 写法的分组或标志", "Python's own groups and flags are not supported")
    anchored = bool(tree) and tree[0] == (sre.AT, sre.AT_BEGINNING)
    if _ways(tree) * (1 if anchored else LONGEST) > WAYS:
        raise PatternRefused(
            "正则表达式的匹配可能耗时过长（量词互相嵌套或太多），请改写，并以 ^ 开头",
            "matching could take too long (quantifiers nested or too many); rewrite it and begin it with ^",
        )
    return compiled


def _ends(source: str) -> str:
    r"""JavaScript's `$` is the very end, Python's also lies before a last newline: write `\Z`."""
    out, escaped, inside = [], False, False
    for character in source:
        if escaped:
            if character in "AZabBP" and (character in "AZaP" or inside):
                raise PatternRefused(f"不支持 \\{character}", f"\\{character} is not supported")
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "[":
            inside = True
        elif character == "]":
            inside = False
        elif character == "$" and not inside:
            out.append("\\Z")
            continue
        out.append(character)
    return "".join(out)


def _ways(tree) -> int:
    """An upper bound of the paths a backtracking matcher can take through `tree` from one starting place."""
    ways = 1
    for operation, argument in tree:
        ways *= _choices(operation, argument)
        if ways > WAYS:
            return WAYS + 1
    return ways


def _choices(operation, argument) -> int:
    if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        least, most, inner = argument
        most = min(int(most), LONGEST)
        least = min(int(least), most)
        each = _ways(inner)
        if each == 1:
            return most - least + 1
        # Σ each^k, cut off as soon as it is too much.
        total = 0
        for count in range(least, most + 1):
            total += each ** min(count, 64)
            if total > WAYS:
                return WAYS + 1
        return total
    if operation is sre.BRANCH:
        return sum(_ways(branch) for branch in argument[1])
    if operation is sre.SUBPATTERN:
        return _ways(argument[3])
    if operation in (sre.ASSERT, sre.ASSERT_NOT):
        if argument[0] < 0:
            raise PatternRefused("不支持向后断言", "lookbehind is not supported")
        return _ways(argument[1])
    if operation in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.AT):
        return 1
    raise PatternRefused("不支持反向引用、条件分组等写法", "back-references, conditional groups and the like are not supported")
