"""A person's tasks: the three lists, one task with its form, and what can be done with it."""

from webapp.inbox.views import pages

__all__ = ["pages"]
