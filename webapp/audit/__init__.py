"""For auditors: verify the history now, read who looked at what."""

from webapp.audit.views import pages

__all__ = ["pages"]
