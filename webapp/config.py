"""Where things are and what may be set: the environment's names, their defaults, and nothing else."""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 1024 * 1024


def wall_clock() -> datetime:
    """The present, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Settings:
    """What an installation can set. `clock` and `testing` are for tests only; the environment cannot set `clock` in earnest."""

    database_url: str
    master_key_file: Path
    secret_key_file: Path
    bundle: Path
    county_id: str = "liangshan"
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    port: int = 8000
    proxies: int = 0
    testing: bool = False
    clock: Callable[[], datetime] = field(default=wall_clock, repr=False)

    @classmethod
    def read(cls, env: Mapping[str, str] | None = None, **given) -> "Settings":
        """From the environment; what a test gives by name wins."""
        env = os.environ if env is None else env
        var = Path(env.get("SHUIBO_VAR", ROOT / "var"))
        testing = env.get("SHUIBO_TESTING") == "1"
        values = {
            "database_url": env.get("SHUIBO_DATABASE_URL") or f"sqlite:///{var / 'shuibo.db'}",
            "master_key_file": Path(env.get("SHUIBO_MASTER_KEY_FILE") or var / "master.key"),
            "secret_key_file": var / "secret.key",
            "bundle": Path(env.get("SHUIBO_BUNDLE") or ROOT / "bpmn"),
            "county_id": env.get("SHUIBO_COUNTY") or "liangshan",
            "zone": ZoneInfo(env.get("SHUIBO_ZONE") or "Asia/Shanghai"),
            "port": int(env.get("SHUIBO_PORT") or 8000),
            "proxies": int(env.get("SHUIBO_PROXIES") or 0),
            "testing": testing,
        }
        if testing and env.get("SHUIBO_CLOCK_FILE"):
            values["clock"] = _file_clock(Path(env["SHUIBO_CLOCK_FILE"]))
        values["database_url"] = _with_driver(values["database_url"])
        return cls(**{**values, **given})

    def secret_key(self) -> str:
        """The key that signs the form tokens, made on first use and readable by the owner only. All web processes share it."""
        return secret_from(self.secret_key_file)


def secret_from(path: Path) -> str:
    """The secret in this file; a first caller makes it, and of two first callers one wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        try:
            os.link(draft, path)  # atomic, and fails if another process was first
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def _with_driver(url: str) -> str:
    """`postgres://` and `postgresql://` mean psycopg 3, the driver that is installed."""
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url[len(scheme) :]
    return url


def _file_clock(path: Path) -> Callable[[], datetime]:
    """A clock that a test moves by writing an ISO time into a file; without the file, the wall's."""

    def read() -> datetime:
        try:
            return datetime.fromisoformat(path.read_text().strip()).astimezone(UTC)
        except (OSError, ValueError):
            return wall_clock()

    return read
