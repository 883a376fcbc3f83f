"""Forms with data, drawn by Hypothesis, for comparing the server with form-js's viewer."""

from hypothesis import strategies as st

from tests.support.forms import options, schema

KEYS = [f"k{number}" for number in range(9)]
TEXTS = st.sampled_from(["", "a", "b", "ab", "甲乙", "12", "  a ", "x@y.cn"])
NUMBERS = st.sampled_from([None, 0, 1, 2, 5, -3, 0.5, 2.25, 10])
DATES = st.sampled_from([None, "2026-01-31", "2027-12-01"])
CHOICES = ["a", "b", "甲"]
KINDS = ["textfield", "textarea", "number", "date", "checkbox", "checklist", "taglist", "radio", "select"]
ANYTHING = st.sampled_from([None, 5, "a", "2026-01-31", True, False, ["a"], ["a", "zz"], {"a": 1}, "3.5", 2.5])


class Batch(list):
    """Cases that form-js runs together; Hypothesis need not print them all."""

    def __repr__(self):
        return f"<{len(self)} cases>"


@st.composite
def cases(draw):
    """A form, the variables it opens on, and what is filled in."""
    drawer = Drawer(draw)
    components = [drawer.component(key) for key in draw(st.permutations(KEYS))[: draw(st.integers(1, 7))]]
    variables = dict(drawer.variables)
    return {"schema": schema(*components), "variables": variables, "submitted": drawer.submitted}


class Drawer:
    """Draws one case. `depth[key]`: how many conditions stand one on another at that key; form-js settles two (see DIFFERENCES)."""

    def __init__(self, draw):
        self.draw = draw
        self.known: list[tuple[str, str]] = []  # key and kind of what conditions may ask
        self.depth: dict[str, int] = {}
        self.variables: dict = {"opts": CHOICES}
        self.submitted: dict = {}
        self.number = 0

    def once_in(self, times: int) -> bool:
        return self.draw(st.integers(1, times)) == 1

    def component(self, key):
        shape = self.draw(st.sampled_from(["field"] * 6 + ["group", "list", "expression", "expression"]))
        if shape == "group":
            return self.group(key)
        if shape == "list":
            return self.list(key)
        if shape == "expression" and self.known:
            return self.expression(key)
        made, depth = self.field(key, self.variables, self.submitted)
        self.depth[key] = depth
        self.known.append((key, made["type"]))
        return made

    def field(self, key, variables, submitted, inside=""):
        """A keyed field; `inside`: "group" or "list", where conditions may ask, and less is allowed."""
        kind = self.draw(st.sampled_from(KINDS))
        self.number += 1
        made = {"type": "datetime" if kind == "date" else kind, "id": f"f{self.number}", "key": key}
        if kind == "date":
            made |= {"subtype": "date"}
        if kind in ("checklist", "taglist", "radio", "select"):
            made |= self.draw(
                st.sampled_from([{"values": options(*CHOICES)}, {"valuesKey": "opts"}, {"valuesExpression": "=opts"}])
            )
        made |= self.rules(kind)
        if self.once_in(5) and kind in ("textfield", "number", "checkbox", "select") and "valuesExpression" not in made:
            made["defaultValue"] = {"textfield": "a", "number": 2, "checkbox": True, "select": "b"}[kind]
        depth = self.condition(made)
        served = False
        if inside != "list":
            turn = self.draw(st.integers(1, 12))
            if turn == 1:
                made["readonly"] = served = True
            elif turn == 2:
                made["disabled"] = served = True
            elif turn == 3 and (asked := self.question(1)):
                made["readonly"], served = asked[0], True
        # Variables of any type are made to fit alike, but for options by expression, where form-js breaks on them.
        if self.once_in(2):
            wild = not made.get("valuesExpression")
            variables[key] = self.draw(ANYTHING if wild else self.typed(kind))
        if not served and self.once_in(2) or inside == "list":
            submitted[key] = self.draw(self.typed(kind))
        # Rules of a read-only field do not count here and do in form-js.
        if made.get("readonly"):
            made.pop("validate", None)
            made.pop("decimalDigits", None)
            made.pop("increment", None)
        return made, depth

    def typed(self, kind):
        if kind in ("textfield", "textarea"):
            return TEXTS
        return {
            "number": NUMBERS,
            "date": DATES,
            "checkbox": st.booleans(),
            "radio": st.sampled_from([None, *CHOICES]),
            "select": st.sampled_from([None, *CHOICES]),
        }.get(kind, st.lists(st.sampled_from(CHOICES), unique=True, max_size=3))

    def rules(self, kind):
        found = {}
        if self.once_in(3):
            found["required"] = True
        if kind == "number":
            if self.once_in(3):
                found["min"] = self.draw(st.sampled_from([0, 1, "1", "=1 + 1"]))
            if self.once_in(3):
                found["max"] = self.draw(st.sampled_from([2, 5, "=5"]))
            more = {"decimalDigits": self.draw(st.sampled_from([0, 1]))} if self.once_in(4) else {}
            more |= {"increment": self.draw(st.sampled_from([0.5, "2"]))} if self.once_in(4) else {}
            return more | ({"validate": found} if found else {})
        if kind in ("textfield", "textarea"):
            if self.once_in(3):
                found["minLength"] = self.draw(st.sampled_from([1, 2, "=1 + 1"]))
            if self.once_in(3):
                found["maxLength"] = self.draw(st.sampled_from([1, 3]))
            if self.once_in(5):
                found["pattern"] = self.draw(st.sampled_from(["^[a-z]+$", r"\d", "^(a|b)*$", "[^甲]"]))
            elif self.once_in(6):
                found["validationType"] = "email"
        return {"validate": found} if found else {}

    def question(self, deepest, among=None):
        """A condition on what stands already (or `among` those keys), and its depth."""
        able = [(key, kind) for key, kind in self.known if self.depth[key] <= deepest and (among is None or key in among)]
        if not able:
            return None
        key, kind = self.draw(st.sampled_from(able))
        asked = {
            "number": ["{} > 1", "{} <= 2", "{} = null", "not({} > 1)"],
            "checkbox": ["{}", "not({})", "{} = false"],
            "checklist": ['list contains({}, "a")', "count({}) > 1"],
            "taglist": ['not(list contains({}, "a"))', "count({}) = 0"],
            "datetime": ["{} = null", "{} != null"],
            "expression": ["{} = null", "{} != null"],
        }.get(kind, ['{} = "a"', '{} != "a"', '{} in ("a", "b")', '{} = null or {} = ""', '{} = "a" or {} = "b"'])
        return "=" + self.draw(st.sampled_from(asked)).replace("{}", key), self.depth[key]

    def condition(self, made):
        if self.once_in(3) and (asked := self.question(1)):
            made["conditional"] = {"hide": asked[0]}
            return asked[1] + 1
        return 0

    def expression(self, key):
        # form-js computes each expression once a round, so one that reads another may stay behind: see DIFFERENCES.
        plain = [k for k, kind in self.known if self.depth[k] == 0 and kind != "expression"]
        asked = self.question(0, plain)
        other = self.draw(st.sampled_from(plain or ["none"]))
        text = self.draw(st.sampled_from([asked[0] if asked else "=1 + 1", f"={other}", '="a" + "b"', f"=if {other} = null then 1 else 2"]))
        self.number += 1
        made = {"type": "expression", "id": f"f{self.number}", "key": key, "expression": text}
        made["computeOn"] = self.draw(st.sampled_from(["change", "change", "presubmit"]))
        self.depth[key] = self.condition(made)
        if made["computeOn"] == "change":
            self.known.append((key, "expression"))
        return made

    def group(self, key):
        self.number += 1
        made = {"type": "group", "id": f"f{self.number}", "components": []}
        variables, submitted = {}, {}
        pathed = self.once_in(2)
        if pathed:
            made["path"] = key
        depth = self.condition(made)
        for letter in "xyz"[: self.draw(st.integers(1, 3))]:
            inner = f"{key}{letter}"
            field, own = self.field(inner, variables, submitted, inside="group")
            made["components"].append(field)
            if not pathed:
                self.depth[inner] = max(own, depth)
                self.known.append((inner, field["type"]))
        if pathed:
            # A context that the form hides in part keeps its other entries, see DIFFERENCES.
            self.submitted |= {key: submitted} if submitted else {}
        else:
            self.variables |= variables
            self.submitted |= submitted
        return made

    def list(self, key):
        self.number += 1
        made = {"type": "dynamiclist", "id": f"f{self.number}", "path": key, "isRepeating": True, "allowAddRemove": True}
        made["defaultRepetitions"] = self.draw(st.integers(0, 2))
        self.condition(made)
        count = self.draw(st.integers(0, 3))
        entries = [{} for _ in range(count)]
        made["components"] = []
        first = None
        for letter in "xy"[: self.draw(st.integers(1, 2))]:
            field, _ = self.field(letter, {}, {}, inside="list")
            kind = "date" if field["type"] == "datetime" else field["type"]
            for entry in entries:
                entry[letter] = self.draw(self.typed(kind))
            if first == "textfield" and "conditional" not in field and self.once_in(2):
                field["conditional"] = {"hide": self.draw(st.sampled_from(['=this.x = "a"', "=i[1] = 2", '=not(this.x = "b")']))}
            first = first or (field["type"] if "conditional" not in field else "hidden")
            made["components"].append(field)
        if self.once_in(2):
            self.submitted[key] = entries
        else:
            self.variables[key] = entries
        return made
