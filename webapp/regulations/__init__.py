"""八项制度: what the station's regulations say, how often they spoke, and their examples."""

from webapp.regulations.views import pages

__all__ = ["pages"]
