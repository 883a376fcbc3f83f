"""A web process stays small while a whole township signs in at eight in the morning."""

import threading
import time

import psutil
import pytest

from tests.faults.product import Product, Program
from tests.support.counties import prepare_with_procedures
from tests.support.county import DEAR, passwords_hashed

MEGABYTE = 1024 * 1024
MOST = 250 * MEGABYTE
PEOPLE = 40
USERNAMES = ["ft-01-1", "ft-01-2", "pt-01-1", "lead-01", "ft-02-1", "ft-02-2", "pt-02-1", "lead-02", "assistant-001", "assistant-002"]


def largest(processes: list[psutil.Process]) -> int:
    """Resident bytes of the largest."""
    return max(process.memory_info().rss for process in processes)


def prepare_dear(url: str) -> None:
    """A county whose passwords cost what the product's cost."""
    with passwords_hashed(DEAR):
        prepare_with_procedures(url)


@pytest.mark.soak
def test_web_processes_stay_small_while_people_sign_in(new_database, tmp_path, campaign):
    """Forty at once hash their passwords, open their lists and a case with all its forms and tables."""
    with Product(new_database("sqlite", prepare_dear), tmp_path) as product:
        web = product.web()
        assert web
        peak, programs = largest(web), []
        for _round in campaign.rounds(1, 20):
            line = threading.Barrier(PEOPLE)
            programs = [Program(product.port, USERNAMES[person % len(USERNAMES)]) for person in range(PEOPLE)]
            failures = []

            def arrive(program: Program, line=line, failures=failures) -> None:
                try:
                    line.wait(60)
                    program.sign_in()
                    program.ask("GET", "/tasks?view=offered")
                    if program.username.startswith("ft"):
                        case = program.ask("POST", "/instances", {"definition": "service_delivery"})
                        program.ask("GET", f"/tasks/{case['tasks'][0]['id']}")
                except BaseException as error:  # shown below
                    failures.append(error)
                finally:
                    program.close()

            threads = [threading.Thread(target=arrive, args=(program,), daemon=True) for program in programs]
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                peak = max(peak, largest(web))
                time.sleep(0.02)
            assert not failures, failures
            assert peak < MOST, f"{peak / MEGABYTE:.0f} MB"
        assert {process.pid for process in product.web()} == {process.pid for process in web}, "one was started anew meanwhile"
        campaign.note(**{"MB at most": round(peak / MEGABYTE)})
