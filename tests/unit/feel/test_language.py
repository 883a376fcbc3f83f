"""The expressions of chapter 10.3, section by section: each line is an expression and what it comes to."""

import pytest

from tests.unit.feel.tables import rows, run

LITERALS = r"""
1 => 1
.5 => 0.5
1.50 => 1.5
1.5e3 => 1500
2E-3 => 0.002
-3 => -3
--3 => 3
true => true
null => null
"a \"b\" \\ \u4f60 \U01F40E" => "a \"b\" \\ 你 🐎"
"\uD83D\uDC0E" => "🐎"
"\d" => "\\d"
string length("🐎") => 1
@"2026-01-31" => 2026-01-31
@"08:30:00" => 08:30:00
@"2026-01-31T08:30:00.250+08:00" => 2026-01-31T08:30:00.25+08:00
@"P1Y2M" => P1Y2M
@"-PT90M" => -PT1H30M
1 /* one */ + 2 // three => 3
[1, "a", [null]] => [1, "a", [null]]
{a: 1, "b c": {d: [2]}} => {a: 1, b c: {d: [2]}}
"""

NAMES = """
full name => "李四"
full  name + "!" => "李四!"
姓名 => "张三"
`full name` => "李四"
a-b => 1
a-b - 1 => 0
age-1 => 70
client.full name => "王五"
client.home address.village => "石村"
client.`full name` => "王五"
{a b: 1, c+d: 2, e: a b + c+d}.e => 3
{a b: 1}.a b = 1 and age > 1 => true
for big number in numbers return big number * 2 => [2, 4, 6]
(function(first part, second part) first part - second part)(5, 2) => 3
unknown => null
unknown.deeper.still => null
"""

ARITHMETIC = """
0.1 + 0.2 = 0.3 => true
1 / 3 => 0.3333333333333333333333333333333333
2 / 3 => 0.6666666666666666666666666666666667
10 - 5 - 2 => 3
2 + 3 * 4 => 14
(2 + 3) * 4 => 20
2 ** 3 ** 2 => 64
-2 ** 2 => 4
2 ** -1 => 0.5
2 ** 1000000000 => null
1 ** 999999999 => 1
2 ** 0.5 => 1.414213562373095048801688724209698
1 / 0 => null
0 / 0 => null
(-1) ** 0.5 => null
0 ** 0 => 1
0 ** 2 => 0
0 ** -1 => null
(-0) ** -1 => null
0 ** 0.5 => 0
1 + null => null
1 + "1" => null
"foo" + "bar" => "foobar"
"foo" + null => null
"foo" - "bar" => null
-"a" => null
9999999999999999999999999999999999 + 1 => 10000000000000000000000000000000000
1e6144 * 10 => null
9 ** 9 ** 9 ** 9 ** 9 => null
"""

LOGIC = """
true and true => true
true and false => false
true and null => null
false and null => false
null and true => null
null and false => false
null and null => null
true or null => true
false or null => null
null or true => true
null or null => null
false or false => false
true and 1 => null
false and 1 => false
1 and false => false
true or "a" => true
1 or 2 => null
1 and true and false => false
not(true) => false
not(null) => null
not(1) => null
"""

EQUALITY = """
1 = 1.0 => true
1 = "1" => null
1 != "1" => null
null = null => true
null != null => false
1 = null => false
null != 1 => true
"a" = "a" => true
true = false => false
[1, 2] = [1, 2] => true
[1, 2] = [2, 1] => false
[1] = 1 => null
[1, "a"] = [1, 2] => null
[1, "a"] = [2, 2] => false
{a: 1, b: 2} = {b: 2, a: 1} => true
{a: 1} = {a: 1, b: 2} => false
{} = [] => null
@"2026-01-01" = @"2026-01-01T00:00:00" => false
@"2026-01-01" = @"2026-01-01T00:00:00Z" => true
@"2026-01-01T08:00:00+08:00" = @"2026-01-01" => true
@"0001-01-01T00:00:00@Asia/Shanghai" = @"9999-12-31T23:59:59@Asia/Shanghai" => false
@"2026-01-01T00:00:00Z" = @"2026-01-01T08:00:00+08:00" => true
@"2026-01-01T00:00:00" = @"2026-01-01T00:00:00Z" => false
@"10:00:00Z" = @"18:00:00+08:00" => true
@"10:00:00" = @"10:00:00Z" => false
@"P1Y" = @"P12M" => true
@"P1D" = @"PT24H" => true
@"P1Y" = @"P365D" => null
[1..3] = [1..3] => true
[1..3] = [1..3) => false
range("(..2]") = <= 2 => true
"""

ORDER = """
1 < 2 => true
2 <= 1 => false
"a" < "b" => true
1 < "a" => null
null < 1 => null
true < false => null
[1] < [2] => null
@"2026-01-01" < @"2026-01-02" => true
@"2026-01-01" < @"2026-01-02T00:00:00" => true
@"2026-01-02T00:00:00+08:00" <= @"2026-01-02" => true
@"2026-01-01" < 1 => null
@"10:00:00+08:00" < @"10:00:00Z" => true
@"10:00:00" < @"10:00:00Z" => false
@"10:00:00" <= @"10:00:00+08:00" => true
@"2026-01-01T00:00:00" < @"2026-01-02T00:00:00Z" => true
@"0001-01-01T00:00:00@Asia/Shanghai" < @"9999-12-31T23:59:59@Asia/Shanghai" => true
@"P1Y" > @"P11M" => true
@"P1Y" > @"P1D" => null
age between 60 and 80 => true
age between 72 and 80 => false
null between 1 and 2 => null
0 between 1 and null => false
"""

IN = """
1 in [2, 3, 1] => true
1 in [2, 3] => false
1 in [[2..4], [1..3]] => true
1 in <= 10 => true
11 in < 10 => false
10 in (1, < 5, >= 10) => true
10 in (1, 5, 9) => false
1 in != 1 => false
1 in (= 1) => true
2 in (2..4) => false
4 in (2..4] => true
2 in ]2..4] => false
3 in [2..4[ => true
"c" in ["a".."d"] => true
age in (1, 2, [60..80]) => true
risk in ("high", "middle") => true
1 in numbers => true
[1] in [[1], [2]] => true
null in [null] => true
null in [1..3] => null
"a" in [1..3] => null
2 in [1..null] => null
0 in [1..null] => false
2 in [5..1] => false
null in [null..1] => null
[5..1] => null
(5..5) => (5..5)
[@"2026-02-01"..@"2026-01-01"] => null
[1..2] in [[1..2]] => true
5 in (? > 3) => true
@"2026-01-05" in [@"2026-01-01"..@"2026-01-31"] => true
"""

RANGES = """
[1..5] => [1..5]
]1..5[ => (1..5)
(> 5) => (> 5)
(<= 5) => (<= 5)
[1..5].start => 1
(1..5].start included => false
(< 5).end => 5
(< 5).start => null
[1.."a"] => null
[[1]..[2]] => null
[null..1] => null
[5..1] => null
(5..5) => (5..5)
[@"2026-02-01"..@"2026-01-01"] => null
for i in [1..3] return i => [1, 2, 3]
for i in (1..3) return i => [2]
"""

PATHS = """
{a: {b: 1}}.a.b => 1
{a: 1}.b => null
null.a => null
1.a => null
[{a: 1}, {a: 2}].a => [1, 2]
[{a: 1}, {b: 2}].a => [1, null]
@"2026-01-31".year => 2026
@"2026-01-31".weekday => 6
@"2026-01-31T08:30:15.5".second => 15.5
@"08:30:00+08:00".time offset => PT8H
@"08:30:00".time offset => null
@"2026-07-01T08:30:00@Asia/Shanghai".timezone => "Asia/Shanghai"
@"2026-07-01T08:30:00@Europe/Paris".time offset => PT2H
@"P1Y14M".years => 2
@"P1Y14M".months => 2
@"-PT26H".days => -1
@"-PT26H".hours => -2
@"PT1.5S".seconds => 1.5
@"P1Y".days => null
"""

FILTERS = """
[1, 2, 3][1] => 1
[1, 2, 3][-1] => 3
[1, 2, 3][0] => null
[1, 2, 3][4] => null
[1, 2, 3][1.5] => null
[1, 2, 3][null] => []
1[1] => 1
null[1] => null
null[item > 1] => null
null[true] => null
100[true] => [100]
100[0] => null
[][1] => null
{i: 2, r: [5, 6, 7][i]}.r => 6
[1, 2, 3][item > 1] => [2, 3]
visits[worker = "wang"].minutes => [40, 60]
visits[minutes > 30 and worker = "wang"][1].day => 2026-01-05
visits[item.minutes = 25].worker => ["li"]
visits[minutes > age].worker => []
[{item: 1}, {item: 2}][item > 1] => [{item: 2}]
[[1], [2]][item[1] = 2] => [[2]]
[1, "a", 3][item > 1] => [3]
{a: 1}[a = 1] => [{a: 1}]
[{net price: 1}, {net price: 2}][net price > 1] => [{net price: 2}]
"""

CONDITIONS_AND_LOOPS = """
if age >= 60 then "老人" else "成人" => "老人"
if null then 1 else 2 => 2
if "a" then 1 else 2 => 2
1 + if true then 1 else 2 => 2
for x in [1, 2] return x * 2 => [2, 4]
for x in [1, 2], y in [x, 10] return x * y => [1, 10, 4, 20]
for i in 3..1 return i => [3, 2, 1]
for i in 0..4 return if i = 0 then 1 else i * partial[-1] => [1, 1, 2, 6, 24]
for i in 1..3 return partial => [[], [[]], [[], [[]]]]
for d in @"2026-01-30"..@"2026-02-01" return d.day => [30, 31, 1]
for x in [] return x => []
for x in null return x => null
for x in 1..2.5 return x => null
for x in 1, y in null return x => null
for f in (for i in 1..3 return function() i) return f() => [1, 2, 3]
some x in numbers satisfies x > 2 => true
some x in [] satisfies x => false
every x in numbers satisfies x > 0 => true
every x in [] satisfies x => true
some x in [1, null] satisfies x > 5 => null
every x in [null, 0] satisfies x > 5 => false
some x in [1, 2], y in [2, 3] satisfies x = y => true
"""

CONTEXTS_AND_FUNCTIONS = """
{a: 1, b: a + 1, c: {d: a + b}}.c.d => 3
{a: 1, b: {a: 2, c: a}}.b.c => 2
{fact: function(n) if n < 2 then 1 else n * fact(n - 1), r: fact(20)}.r => 2432902008176640000
{f: function(x) x + 1, g: f(f(1))}.g => 3
(function(x, y) x - y)(y: 1, x: 5) => 4
(function(x) x)(1, 2) => null
(function(x) x)() => null
(function(x, y) [x, y])(y: 1) => [null, 1]
(function(x) x)(x: 1, z: 2) => null
(function(x: number) x)("a") => null
(function(x: string) x)(["a"]) => "a"
(function(x: list<number>) x)(1) => [1]
(function(x: date and time) x)(@"2026-01-01") => 2026-01-01T00:00:00Z
substring(string: "foobar", start position: 3) => "obar"
substring(start position: 3, length: 2, string: "foobar") => "ob"
substring(string: "foobar", wrong: 3) => null
nosuchfunction(1) => null
"abc"(1) => null
"""

INSTANCE_OF = """
1 instance of number => true
1 instance of string => false
1 instance of Any => true
null instance of Null => true
null instance of number => false
[1, 2] instance of list<number> => true
[1, "a"] instance of list<number> => false
[1, null] instance of list<number> => true
{a: 1, b: 2} instance of context<a: number> => true
{a: 1} instance of context<a: string> => false
{b: 1} instance of context<a: number> => false
[1..2] instance of range<number> => true
@"P1D" instance of days and time duration => true
@"P1Y" instance of days and time duration => false
@"2026-01-01" instance of date and time => false
(function(a, b) a) instance of function<Any, Any> -> Any => true
(function(a, b) a) instance of function<Any> -> Any => false
1 instance of number and true => true
[1] instance of list => null
[[1]] instance of list<list> => null
{a: 1} instance of context => null
[1..2] instance of range => null
(function() 1) instance of function => null
(function() "a") instance of function<> -> string => true
(function() "a") instance of function<> -> number => false
(function() 1 < 2) instance of function<> -> boolean => true
(function(a: number) a) instance of function<number> -> Any => true
(function(a: string) a) instance of function<number> -> Any => false
(function(a) a) instance of function<number> -> Any => true
(function(a: number) a) instance of function<Any> -> Any => false
(function() [1, 2]) instance of function<> -> list<number> => true
(function() [1, "a"]) instance of function<> -> list<number> => false
(function() {a: 1, b: "x"}) instance of function<> -> context<a: number> => true
(function() {b: "x"}) instance of function<> -> context<a: number> => false
(function(c: context<a: number>) 1) instance of function<context<a: number, b: string>> -> number => true
(function(c: context<a: number, b: string>) 1) instance of function<context<a: number>> -> number => false
abs instance of function<number> -> Any => true
"""

DATES = """
@"2026-01-31" + @"P1M" => 2026-02-28
@"2024-02-29" + @"P1Y" => 2025-02-28
@"2026-03-31" - @"P1M" => 2026-02-28
@"2026-01-01" + @"PT36H" => 2026-01-02
@"2026-01-01" - @"PT1H" => 2025-12-31
@"2026-01-01T22:00:00" + @"PT3H" => 2026-01-02T01:00:00
@"2026-03-29T01:30:00@Europe/Paris" + @"PT1H" => 2026-03-29T03:30:00@Europe/Paris
@"23:00:00" + @"PT2H" => 01:00:00
@"01:00:00+08:00" - @"PT2H" => 23:00:00+08:00
@"2026-03-01" - @"2026-02-01" => P28D
@"2026-01-02T00:00:00Z" - @"2026-01-01" => P1D
@"2026-01-02" - @"2026-01-01T12:00:00" => null
@"2026-01-02" - @"2026-01-01T12:00:00Z" => PT12H
@"2026-01-02T10:00:00+08:00" - @"2026-01-02" => PT2H
@"10:00:00" - @"09:00:00Z" => null
@"0001-01-01T00:00:00@Asia/Shanghai" - @"0001-01-01T00:00:00@Asia/Shanghai" => PT0S
@"2026-01-01T00:00:00" - @"2026-01-01T00:00:00Z" => null
@"10:00:00" - @"09:30:00" => PT30M
@"P1Y" + @"P1M" => P1Y1M
@"P1D" - @"PT1H" => PT23H
@"P1Y" + @"P1D" => null
@"P1Y" * 1.5 => P1Y6M
2 * @"P1D" => P2D
@"P10Y11M" / 2.5 => P4Y4M
@"P1D" / @"PT1H" => 24
@"P1Y" / @"P0M" => null
@"P1D" / 0 => null
-@"P1D" => -P1D
@"9999-12-31" + @"P1D" => 10000-01-01
@"999999999-12-31" + @"P1D" => null
@"0001-01-01" - @"P1D" => 0000-12-31
@"-0001-03-01" - @"-0001-02-28" => P1D
@"10000-01-01" > @"9999-12-31" => true
@"-0001-01-01" < @"0001-01-01" => true
@"2026-01-31T08:30:00.000000001" > @"2026-01-31T08:30:00" => true
@"9999-12-31T23:59:59@Asia/Shanghai" + @"PT1S" => 10000-01-01T00:00:00@Asia/Shanghai
@"12026-01-31".weekday => 6
@"10:00:00.123456789".second => 0.123456789
for d in @"9999-12-31"..@"10000-01-01" return d.year => [9999, 10000]
@"2026-01-01" + 1 => null
"""

TABLES = {name: table for name, table in globals().items() if name.isupper() and isinstance(table, str)}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [pytest.param(*row, id=f"{name}: {row[0]}") for name, table in TABLES.items() for row in rows(table)],
)
def test_value(expression, expected):
    """The expression comes to the value."""
    assert run(expression) == expected
