"""Papers of a case: the list of them, and each as a page to be printed and signed."""

from webapp.documents.views import pages

__all__ = ["pages"]
