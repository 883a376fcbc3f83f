"""What a process has exactly once, passed explicitly: the database, the keys, the county, and its caches of immutable versions."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from engine.db import Database
from engine.vault import Vault


@dataclass(frozen=True)
class System:
    """One installation. `compiled` caches published versions by id and reference data by stream head; all of it can be thrown away."""

    database: Database
    vault: Vault
    county_id: str
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    compiled: dict = field(default_factory=dict, repr=False)
