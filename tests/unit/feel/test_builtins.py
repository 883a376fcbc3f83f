"""The built-in functions of chapter 10.3.4, table by table."""

import pytest

from engine import feel
from engine.feel.builtins import BUILTINS
from tests.unit.feel.tables import rows, run

CONVERSION = r"""
date("2026-01-31") => 2026-01-31
date("2026-02-30") => null
date("2026-1-3") => null
date(2026, 1, 31) => 2026-01-31
date(2026, 1.5, 1) => null
date(@"2026-01-31T10:00:00") => 2026-01-31
date(null) => null
date and time("2026-01-31T10:00:00") => 2026-01-31T10:00:00
date and time("2026-01-31") => 2026-01-31T00:00:00
date and time(@"2026-01-31", @"10:00:00+08:00") => 2026-01-31T10:00:00+08:00
date and time(2026, 1, 31, 10, 0, 0, @"PT8H") => 2026-01-31T10:00:00+08:00
time("10:00:00") => 10:00:00
time("24:00:00") => 00:00:00
time("24:00:01") => null
time(10, 20, 30.5) => 10:20:30.5
time(10, 20, 30, @"PT1H") => 10:20:30+01:00
time(@"2026-01-31T10:00:00Z") => 10:00:00Z
time(@"2026-01-31") => 00:00:00Z
time("10:00:00@Nowhere/City") => null
duration("P1DT2H") => P1DT2H
duration("P1Y2M") => P1Y2M
duration("P1Y1D") => null
duration("P") => null
duration("-PT0.5S") => -PT0.5S
years and months duration(@"2011-12-22", @"2013-08-24") => P1Y8M
years and months duration(@"2013-08-24", @"2011-12-22") => -P1Y8M
years and months duration(@"2026-01-31", @"2026-02-28") => P0M
years and months duration(@"2001-02-28", @"2000-01-29") => -P1Y
number("1,000.5", ",", ".") => 1000.5
number("1 000,5", " ", ",") => 1000.5
number(from: "1.000", grouping separator: ".", decimal separator: ",") => 1000
number("1,000", ",", ",") => null
number("abc") => null
number("1e999999") => null
number("１") => null
string(1.50) => "1.5"
string(null) => null
string([1, "a", {b: null}]) => "[1, \"a\", {b: null}]"
range("[1..5]") => [1..5]
range("[2..)") => (>= 2)
range("[..2]") => null
range("[date(\"2026-01-01\")..@\"2026-02-01\"]") => [2026-01-01..2026-02-01]
range("no range") => null
range("[5..1]") => null
range("]1..5[") => (1..5)
"""

BOOLEAN_AND_EQUALITY = """
is(1, 1.0) => true
is(1, "1") => false
is(@"10:00:00", @"10:00:00Z") => false
is(@"10:00:00Z", @"10:00:00+00:00") => true
is(@"P0Y", @"P0D") => false
is(null, null) => true
is(@"23:00:50z", @"23:00:50") => false
is(@"23:00:50z", @"23:00:50+00:00") => true
"""

STRINGS = r"""
substring("foobar", 3) => "obar"
substring("foobar", 3, 3) => "oba"
substring("foobar", -2, 1) => "a"
substring("你好世界", 2, 2) => "好世"
substring("🐎ab", 2) => "ab"
substring("foobar", 0) => null
substring("foobar", 7) => null
substring("foobar", 3, 0) => null
string length("foo") => 3
upper case("aBc4") => "ABC4"
lower case("aBc4") => "abc4"
substring before("foobar", "bar") => "foo"
substring before("foobar", "xyz") => ""
substring after("foobar", "ob") => "ar"
substring after("", "a") => ""
contains("foobar", "of") => false
starts with("foobar", "fo") => true
ends with("foobar", "r") => true
string join(["a", null, "b"], "、") => "a、b"
string join(["a", "b"]) => "ab"
string join(["a", 1], ",") => null
split("John Doe", "\s") => ["John", "Doe"]
split("a;b;c;;", ";") => ["a", "b", "c", "", ""]
split("abc", "") => ["a", "b", "c"]
split("abc", "x*") => null
upper case(1) => null
upper case(["a"]) => "A"
"""

REGULAR_EXPRESSIONS = r"""
matches("foobar", "^fo*bar") => true
matches("440106199001011234", "^\d{17}[\dX]$") => true
matches("FOO", "foo", "i") => true
matches("A", "[^a]", "i") => false
matches("Q", "[A-Z-[OI]]", "i") => true
matches("O", "[A-Z-[OI]]") => false
matches("a-b", "^[a\-b]+$") => true
matches("a\nb", "a.b") => false
matches("a\nb", "a.b", "s") => true
matches("a\nb", "^b$", "m") => true
matches("ab", "a b", "x") => true
matches("a.b", "a.b", "q") => true
matches("axb", "a.b", "q") => false
matches("你好", "^\p{IsCJKUnifiedIdeographs}+$") => true
matches("aB", "^\p{Ll}\p{Lu}$") => true
matches("foo", "(o") => null
matches("foo", "o{2,1}") => null
matches("foo", "(?=o)") => null
matches("aa", "(a)\1") => true
matches("aA", "(a)\1") => false
matches("aA", "(a)\1", "i") => true
matches("abcdefghijkk", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)\11") => true
matches("aa2", "(a)\12") => true
matches("a", "(a\1)") => null
matches("a", "\1(a)") => null
matches("a", "(a)\0") => null
matches("xx", "(y*)*\1x") => true
matches("foo", "o", "z") => null
matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$") => false
matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "(a|aa)+b") => false
replace("abcd", "(ab)|(a)", "[1=$1][2=$2]") => "[1=ab][2=]cd"
replace("2026-01-31", "(\d+)-(\d+)-(\d+)", "$3/$2/$1") => "31/01/2026"
replace("abc", "a|ab|abc", "x") => "xbc"
replace("aaa", "a{2}?", "b") => "ba"
replace("foo", "o+?", "0") => "f00"
replace("foo", "o", "\$") => "f$$"
replace("foo", "o", "$") => null
replace("foo", "x*", "-") => null
extract("a1b22", "\d+") => ["1", "22"]
"""

LISTS = """
list contains([1, 2, null], null) => true
count([1, 2]) => 2
count(null) => null
count("a") => 1
min([3, 1, 2]) => 1
min("b", "a") => "a"
max(@"2026-01-01", @"2025-01-01") => 2026-01-01
max([1, "a"]) => null
max([]) => null
sum([1, 2, 3]) => 6
sum(1, 2, 3) => 6
sum([@"PT1H", @"PT2H"]) => PT3H
sum([1, null]) => null
sum([]) => null
mean([1, 2]) => 1.5
mean([]) => null
product([2, 3, 4]) => 24
median([8, 2, 5, 3, 4]) => 4
median([6, 1, 2, 3]) => 2.5
stddev([2, 4, 7, 5]) => 2.081665999466132735282297706979931
stddev([47]) => null
mode([6, 3, 9, 6, 6]) => [6]
mode([6, 1, 9, 6, 1]) => [1, 6]
mode([]) => []
all([true, null]) => null
all([false, null]) => false
all([]) => true
all() => null
any() => null
all(0) => null
any([true, null]) => true
any([false, 1]) => null
any([]) => false
sublist([4, 5, 6], 1, 2) => [4, 5]
sublist([4, 5, 6], -2) => [5, 6]
sublist([4, 5, 6], 4) => null
append([1], 2, 3) => [1, 2, 3]
append(1, 2) => [1, 2]
concatenate([1, 2], [3]) => [1, 2, 3]
insert before([1, 3], 1, 2) => [2, 1, 3]
insert before([1, 3], -1, 2) => [1, 2, 3]
insert before([1, 3], 5, 2) => null
remove([1, 2, 3], 2) => [1, 3]
remove([1, 2, 3], -1) => [1, 2]
list replace([2, 4, 7, 8], 3, 6) => [2, 4, 6, 8]
list replace([2, 4, 7, 8], function(item, newItem) item < newItem, 5) => [5, 5, 7, 8]
reverse([1, 2, 3]) => [3, 2, 1]
index of([1, 2, 3, 2], 2) => [2, 4]
union([1, 2], [2, 3]) => [1, 2, 3]
distinct values([1, 2.0, 2, "a", "a", [1], [1], null, null]) => [1, 2, "a", [1], null]
flatten([[1, 2], [[3]], 4]) => [1, 2, 3, 4]
sort([3, 1, 4, 5, 2], function(x, y) x < y) => [1, 2, 3, 4, 5]
sort([3, 1, 2]) => [1, 2, 3]
sort([1, "a"]) => null
sort(visits, function(a, b) a.minutes > b.minutes).minutes => [60, 40, 25]
partition([1, 2, 3], 2) => [[1, 2], [3]]
duplicate values([1, 2, 1, 1]) => [1]
"""

NUMBERS = """
decimal(1 / 3, 2) => 0.33
decimal(1.5, 0) => 2
decimal(2.5, 0) => 2
decimal(1234, -2) => 1200
decimal(1, 7000) => null
floor(1.5) => 1
floor(-1.56, 1) => -1.6
ceiling(-1.5) => -1
ceiling(1.51, 1) => 1.6
floor(1.5, null) => null
ceiling(1.5, null) => null
round up(5.5, 0) => 6
round up(-5.5, 0) => -6
round down(-5.5, 0) => -5
round half up(5.5, 0) => 6
round half up(-5.5, 0) => -6
round half down(5.5, 0) => 5
round half down(1.126, 2) => 1.13
abs(-10) => 10
abs(@"-PT5H") => PT5H
modulo(12, 5) => 2
modulo(-12, 5) => 3
modulo(12, -5) => -3
modulo(-10.1, 4.5) => 3.4
modulo(1, 0) => null
sqrt(16) => 4
sqrt(-3) => null
log(1) => 0
log(0) => null
exp(0) => 1
exp(1e10) => null
odd(5) => true
even(-2) => true
even(1.5) => false
"""

TEMPORAL = """
now() => 2026-11-24T08:30:00+08:00
today() => 2026-11-24
day of year(@"2019-09-17") => 260
day of week(@"2019-09-17") => "Tuesday"
month of year(@"2019-09-17") => "September"
week of year(@"2019-09-17") => 38
week of year(@"2003-12-29") => 1
week of year(@"2005-01-01") => 53
last day of month(@"2024-02-01") => 2024-02-29
"""

CONTEXTS = """
get value({a: 1}, "a") => 1
get value({a: 1}, "b") => null
get entries({a: 1, b: 2}) => [{key: "a", value: 1}, {key: "b", value: 2}]
context([{key: "a", value: 1}, {key: "b", value: 2}]) => {a: 1, b: 2}
context([{key: "a", value: 1}, {key: "a", value: 2}]) => null
context([{key: "a"}]) => null
context put({a: 1}, "b", 2) => {a: 1, b: 2}
context put({x: {y: 1}}, ["x", "y"], 2) => {x: {y: 2}}
context put({x: 1}, [], 2) => null
context put({x: 1}, ["y"], 2) => {x: 1, y: 2}
context put({x: 1, y: {a: 0}}, ["y", "b"], 2) => {x: 1, y: {a: 0, b: 2}}
context put({x: 1}, ["y", "a"], 2) => null
context put({x: 1, y: {a: 0}}, ["y", "a", "b"], 2) => null
context put({x: 1}, null, 2) => null
context merge([{a: 1}, {a: 2, b: 3}]) => {a: 2, b: 3}
"""

RANGES = """
before(1, 10) => true
before(1, (1..10]) => true
before([1..10), 10) => true
before([1..10], [10..20]) => false
after([11..20], [1..11)) => true
meets([1..5], [5..10]) => true
meets([1..5), [5..10]) => false
met by([5..10], [1..5]) => true
overlaps([1..5], [5..8]) => true
overlaps([1..5], (5..8]) => false
overlaps before([1..5], [3..8]) => true
overlaps before([1..5], (1..5]) => true
overlaps before([1..5], [1..5]) => false
overlaps after([3..8], [1..5]) => true
overlaps after((1..5], [1..5)) => true
overlaps after((1..5], [1..6]) => false
overlaps after((1..5], [1..5]) => true
overlaps after([1..5], [1..5)) => false
overlaps after([1..5], [1..5]) => false
overlaps after((1..5), [1..5]) => false
overlaps after([5..8], [1..5]) => true
overlaps after((5..8], [1..5]) => false
finishes(10, [1..10]) => true
finishes([5..10], [1..10]) => true
finished by([1..10], 10) => true
includes([1..10], 5) => true
includes([1..10], 12) => false
includes((1..10], [1..10]) => false
during([4..6], [1..10)) => true
starts(1, [1..10]) => true
starts([1..5], [1..10]) => true
started by([1..10], [1..5]) => true
coincides([1..5], [1..5]) => true
coincides([1..5), [1..5]) => false
includes((> 5), 100) => true
before((< 5), 7) => true
before(1, "a") => null
before(null, 1) => null
"""

TABLES = {name: table for name, table in globals().items() if name.isupper() and isinstance(table, str)}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [pytest.param(*row, id=f"{name}: {row[0]}") for name, table in TABLES.items() for row in rows(table)],
)
def test_value(expression, expected):
    """The call comes to the value."""
    assert run(expression) == expected


def test_every_builtin_is_in_a_table():
    """No built-in function without an example."""
    tables = "".join(TABLES.values()) + "not( get or else( is empty( is defined( trim( is blank("
    assert [name for name in BUILTINS if f"{name}(" not in tables] == []


@pytest.mark.parametrize("name", BUILTINS)
def test_null_and_nonsense_arguments_never_raise(name):
    """A call with anything is a value or null."""
    for arguments in ("", "null", "null, null", "null, null, null", '1, "a"', '"a", 1, [1]', "[1], {a: 1}", "[], 1e6144, -1e6144"):
        run(f"{name}({arguments})")


def test_clock_functions_are_null_without_a_clock():
    """There is no ambient time."""
    assert feel.compile("[now(), today()]").evaluate({}) == [None, None]
