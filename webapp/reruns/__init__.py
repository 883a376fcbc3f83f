"""这次改动会带来什么: how a version differs from the one in force, and what it would have said of past decisions."""

from webapp.reruns.views import pages

__all__ = ["pages"]
