"""Dispatching for supervisors and leads: open tasks and who could do them, handing over, reassigning many at once."""

from webapp.dispatch.views import pages

__all__ = ["pages"]
