"""`python -m webapp.rights`: write docs/rights.md."""

from webapp.rights.page import FILE, text

FILE.write_text(text(), encoding="utf-8")
