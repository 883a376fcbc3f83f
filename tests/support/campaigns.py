"""Campaigns: races and kills, sampled by `make test`, complete under `make soak`."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="run the full campaigns, not samples of them")


@pytest.fixture
def campaign(request):
    """`campaign(20, 1000)` is 20 in `make test` and 1000 in `make soak`. Mark the test with `soak`."""

    def rounds(sample: int, full: int) -> int:
        return full if request.config.getoption("--soak") else sample

    return rounds
