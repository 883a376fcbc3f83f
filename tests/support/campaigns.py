"""Campaigns: races and kills, sampled by `make test`, complete under `make soak`."""

import os

import hypothesis
import pytest

# A sample is the same every time, so that a red run is red again; a campaign looks for what nobody has seen yet.
hypothesis.settings.register_profile("sample", deadline=None, derandomize=True, max_examples=100)
hypothesis.settings.register_profile("soak", deadline=None, max_examples=3000)


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="run the full campaigns, not samples of them")


def pytest_configure(config):
    hypothesis.settings.load_profile("soak" if config.getoption("--soak") else "sample")


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_this_machine():
    """Tests set what they need; what the developer has set for `make run` must not reach them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SHUIBO_") and not name.startswith("SHUIBO_TEST_")]:
            patch.delenv(name)
        yield


@pytest.fixture
def campaign(request):
    """`campaign(20, 1000)` is 20 in `make test` and 1000 in `make soak`. Mark the test with `soak`."""

    def rounds(sample: int, full: int) -> int:
        return full if request.config.getoption("--soak") else sample

    return rounds
