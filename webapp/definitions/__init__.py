"""Procedures and regulation tables: their versions, deploying a bundle, publishing."""

from webapp.definitions.views import pages

__all__ = ["pages"]
