"""`work`: a county whose people act through the API.."""

import pytest

from tests.support.regulated import Work


@pytest.fixture(params=["sqlite"])
def backend(request) -> str:
    """Regulations are the same on each database; one test a table shows it (`parametrize("backend", BACKENDS)`)."""
    return request.param


@pytest.fixture
def work(request, site) -> Work:
    """A county at work. What a test is marked with has to be seen broken and kept."""
    work = Work(site)
    yield work
    marked = {rule for mark in request.node.iter_markers("rule") for rule in mark.args}
    assert marked <= work.broken, f"not seen broken: {marked - work.broken}"
    assert marked <= work.kept, f"not seen kept: {marked - work.kept}"
