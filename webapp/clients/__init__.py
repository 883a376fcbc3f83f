"""The people served: search, one person with household and cases, registering."""

from webapp.clients.views import pages

__all__ = ["pages"]
