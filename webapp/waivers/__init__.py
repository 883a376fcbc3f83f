"""Waivers: asking for one after a refusal, deciding, the register; and why somebody cannot take a task."""

from webapp.waivers.views import pages

__all__ = ["pages"]
