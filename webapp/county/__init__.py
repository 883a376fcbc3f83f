"""The county at a glance: stations and how much each has to do; one unit; the people and their accounts."""

from webapp.county import people
from webapp.county.views import pages

__all__ = ["pages", "people"]
