"""Rows made without the constructor."""

import subprocess
import sys

from tests.support.databases import ROOT

FIRST = "from engine.vault import SubjectKey; row = SubjectKey.row(id='a'); print(row.id, row.wrapped)"


def test_a_row_may_be_the_first_thing_that_a_process_makes():
    """Nothing has configured the mappers yet: a web process that was just started, and its first request."""
    done = subprocess.run([sys.executable, "-c", FIRST], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout == "a None\n", done.stderr
