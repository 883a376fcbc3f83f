"""Shuibo's engine: runs procedures, enforces the station regulations, proves the history. Imports nothing of the web."""
