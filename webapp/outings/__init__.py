"""外出报备: who goes out with whom and until when, who is out now, and the alarms."""

from webapp.outings.views import pages

__all__ = ["pages"]
