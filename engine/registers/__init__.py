"""Registers beside the cases: what the stations must keep whoever they serve. Rows and reading; engine.commands writes them."""
