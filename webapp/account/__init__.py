"""The door: signing in and out, one's password, one's language, where one is signed in."""

from webapp.account import sessions
from webapp.account.views import pages

__all__ = ["pages", "sessions"]
