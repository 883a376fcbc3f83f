"""What operators look at: cases that cannot go on, and what waits for a time, a message or a program."""

from webapp.operations.views import pages

__all__ = ["pages"]
