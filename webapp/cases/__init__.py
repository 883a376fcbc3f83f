"""Cases: the list, a new one, and one case with its diagram, its time line and its data."""

from webapp.cases.views import pages

__all__ = ["pages"]
