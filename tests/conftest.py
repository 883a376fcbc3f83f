"""Fixtures every test may use. They are written in tests/support/."""

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
