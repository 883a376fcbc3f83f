"""The door: signing in and out, one's password, one's language."""

from webapp.account.views import pages

__all__ = ["pages"]
