"""Fixtures every test may use. They are written in tests/support/."""

import pytest

from engine.system import settle
from tests.support.county import CHEAP, passwords_hashed

pytest_plugins = [
    "tests.support.databases",
    "tests.support.counties",
    "tests.support.browsers",
    "tests.support.editors",
    "tests.support.web",
    "tests.support.journeys",
    "tests.support.campaigns",
    "tests.fuzz.harness",
]


def pytest_collection_finish():
    """Thousands of tests and all they import stay to the end: Python's collector need not walk them again and again."""
    settle()


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords():
    with passwords_hashed(CHEAP):
        yield
