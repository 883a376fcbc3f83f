"""Backups: one portable format for both databases, keys apart from data.

The data file holds every row but what erasure destroys: subjects' keys are in the keys file, of which there is only ever the newest, and
search tokens are in neither. So a key destroyed in the keys file is gone from every older data file too.
"""

from engine.backup.archive import Archive
from engine.backup.restoring import restore
from engine.backup.saving import save

__all__ = ["Archive", "restore", "save"]
