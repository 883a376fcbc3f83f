"""What differs between two tables, cell by cell."""

import json
import re

from hypothesis import given, strategies as st

from engine.decisions import compile_decisions
from engine.decisions.difference import ADDED, CHANGED, REMOVED, SAME, Difference, difference
from tests.support.tables import file, table

ROWS = [["< 10", '"low"', '"a"'], ["[10..20]", '"mid"', '"b"'], ["> 20", '"high"', '"c"'], ["-", "-", '"d"']]
INPUTS, OUTPUTS = [("age", "number"), ("risk", "string")], [("said", "string")]


def decision(rows, inputs=INPUTS, outputs=OUTPUTS, hit="FIRST", ids=None, name=None):
    """A compiled table; `ids`: of its rows, in their order."""
    content = re.sub("<description>note .*?</description>", "", file(table(inputs, outputs, rows, hit=hit, name=name)).decode())
    for number, ident in enumerate(ids or (), 1):
        content = content.replace(f'<rule id="r{number}">', f'<rule id="{ident}">')
    return compile_decisions(content.encode()).find()


def laid(found: Difference) -> list[tuple[str, str, bool]]:
    return [(row.id, row.state, row.moved) for row in found.rows]


def test_the_same_table_does_not_differ():
    found = difference(decision(ROWS), decision([[f" {cell} " for cell in row] for row in ROWS]))
    assert found.is_none and found.counts == {ADDED: 0, REMOVED: 0, CHANGED: 0, "moved": 0, "cells": 0}


def test_a_cell():
    found = difference(decision(ROWS), decision([["< 12", '"low"', '"a"'], *ROWS[1:]]))
    assert found.counts == {ADDED: 0, REMOVED: 0, CHANGED: 1, "moved": 0, "cells": 1} and not found.is_none
    [cell] = [cell for row in found.rows for cell in row.cells if cell.state != SAME]
    assert (cell.before, cell.after) == ("< 10", "< 12")


def test_rows_added_removed_and_moved():
    before = decision(ROWS, ids=["a", "b", "c", "d"])
    after = decision([ROWS[3], ROWS[0], ["= 7", "-", '"e"'], ROWS[2]], ids=["d", "a", "e", "c"])
    found = difference(before, after)
    assert laid(found) == [("d", SAME, True), ("a", SAME, False), ("b", REMOVED, False), ("e", ADDED, False), ("c", SAME, False)]


def test_rows_without_lasting_ids_are_known_by_what_is_written_in_them():
    after = decision([ROWS[0], ROWS[2], ["= 7", "-", '"e"'], ROWS[3]], ids=["n1", "n2", "n3", "n4"])
    found = difference(decision(ROWS, ids=["a", "b", "c", "d"]), after)
    assert [state for _id, state, _moved in laid(found)] == [SAME, REMOVED, SAME, ADDED, SAME]
    assert found.counts["moved"] == 0


def test_columns():
    after = decision([[row[1], row[0], "true", row[2], "1"] for row in ROWS], [INPUTS[1], INPUTS[0], ("new", "boolean")], [*OUTPUTS, ("days", "number")])
    found = difference(decision(ROWS), after)
    assert [(column.kind, column.key, column.state) for column in found.columns] == [
        ("input", "risk", CHANGED),  # the tests' tables number the labels
        ("input", "age", CHANGED),
        ("input", "new", ADDED),
        ("output", "said", SAME),
        ("output", "days", ADDED),
    ]
    assert all([cell.state for cell in row.cells] == [SAME, SAME, ADDED, SAME, ADDED] for row in found.rows)
    back = difference(after, decision(ROWS))
    assert [column.state for column in back.columns if column.key in ("new", "days")] == [REMOVED, REMOVED]
    assert found.counts["cells"] == back.counts["cells"] == 2 * len(ROWS)


def test_two_columns_that_ask_the_same_stay_two():
    inputs = [("age", "number"), ("age", "number")]
    before, after = decision([["> 1", "< 9", '"a"']], inputs), decision([["> 1", "< 8", '"a"']], inputs)
    [row] = difference(before, after).rows
    assert [cell.state for cell in row.cells] == [SAME, CHANGED, SAME]


def test_settings_and_a_table_that_is_new():
    found = difference(decision(ROWS, hit="FIRST", name="old"), decision(ROWS, hit="ANY", name="new"))
    assert {name: (each.before, each.after) for name, each in found.settings.items()} == {"hit_policy": ("F", "A"), "name": ("old", "new")}
    assert not found.is_none
    new = difference(None, decision(ROWS))
    assert {row.state for row in new.rows} == {column.state for column in new.columns} == {ADDED} and new.settings == {}


def test_plain_json():
    plain = difference(decision(ROWS), decision(ROWS[1:])).as_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert set(plain) == {"settings", "counts", "columns", "rows"} and plain["rows"][0]["cells"][0] == {"before": "< 10", "after": "[10..20]"}


idents = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)
cells = st.sampled_from(["-", "1", "2"])


@given(idents, idents, st.data())
def test_every_row_of_both_tables_is_told_once(old, new, data):
    """And those that stayed, read alone, stand in both tables in one order."""
    made = [[[data.draw(cells), "-", f'"{ident}"'] for ident in each] for each in (old, new)]
    before, after = (decision(rows, ids=each) if rows else None for rows, each in zip(made, (old, new), strict=True))
    if after is None:
        return
    found = difference(before, after)
    assert [row.id for row in found.rows if row.state != REMOVED] == new
    assert sorted(row.id for row in found.rows if row.state == REMOVED) == sorted(set(old) - set(new))
    stayed = [row.id for row in found.rows if row.state in (SAME, CHANGED) and not row.moved]
    assert [ident for ident in old if ident in stayed] == stayed
    for row in found.rows:
        if row.id in old and row.id in new:
            assert [cell.before for cell in row.cells] == made[0][old.index(row.id)]
            assert [cell.after for cell in row.cells] == made[1][new.index(row.id)]
