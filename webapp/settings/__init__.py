"""What the county sets: its calendar and its parameters."""

from webapp.settings.views import pages

__all__ = ["pages"]
