"""The county at a glance: stations and how much each has to do; one unit; the people."""

from webapp.county.views import pages

__all__ = ["pages"]
