"""What a process has exactly once, passed explicitly: the database, the keys, the county, and its caches of immutable versions."""

import gc
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


def settle() -> None:
    """Called once when a long-lived process has started: what is there now is not searched for garbage again.

    Python's collector walks every living object again and again; ours are compiled procedures and libraries that live as long as the
    process. This alone makes a completion a tenth cheaper.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
