"""`target` makes the application over a fresh copy of the seeded county; see tests/fuzz/harness.py."""

from contextlib import contextmanager

import pytest

from tests.fuzz.harness import KNOWN, Target, seed


@pytest.fixture
def target(new_database, tmp_path):
    """`with target("sqlite") as fuzzed: fuzzed.send(…)`: a fresh county each time; its history is verified at the end."""

    @contextmanager
    def fresh(backend: str = "sqlite"):
        made = Target(new_database(backend, seed), tmp_path, KNOWN[backend])
        try:
            yield made
        except BaseException:
            made.site.close()
            raise
        made.close()

    return fresh
