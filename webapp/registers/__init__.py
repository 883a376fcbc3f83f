"""登记: everything the stations must keep beside the cases, what lapses soon, files in and out, posts and vacancies."""

from webapp.registers import files  # noqa: F401 - its routes belong to the same pages
from webapp.registers.views import pages

__all__ = ["pages"]
