"""Databases as former versions filled them (see make_sample.py), loaded into either database just as they were."""

import json
import lzma
import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, MetaData, create_engine, make_url, select

from engine import schema
from engine.db import Database
from tests.support.counties import County

HERE = Path(__file__).parent
NAMES = sorted(path.stem for path in HERE.glob("*.json"))


class Sample:
    """One former version's database. `about`: its `revision`, `now`, keys, and what was promised to whom."""

    def __init__(self, name: str):
        self.name = name
        self.about = json.loads((HERE / f"{name}.json").read_text())

    def load(self, url: str, folder: Path) -> None:
        """Make the database at `url` (new and empty) what the former version left: its tables, its rows."""
        content = lzma.decompress((HERE / f"{self.name}.sqlite.xz").read_bytes())
        if make_url(url).get_backend_name() == "sqlite":
            Path(make_url(url).database).write_bytes(content)
            return
        file = folder / "sample.db"
        file.write_bytes(content)
        database, source = Database(url), create_engine(f"sqlite:///{file}")
        schema.upgrade(database, self.about["revision"])
        _copy(source, database.engine)
        source.dispose()
        database.dispose()

    def county(self, url: str) -> County:
        """The county of this database, at the moment when the sample was made."""
        county = County(url)
        county.now = datetime.fromisoformat(self.about["now"])
        return county


def _copy(source: Engine, target: Engine) -> None:
    """Every row of every table of a SQLite file to PostgreSQL, whose tables say what the types are."""
    metadata = MetaData()
    metadata.reflect(target)
    old = MetaData()
    old.reflect(source)
    with source.connect() as reader, target.begin() as writer:
        writer.exec_driver_sql("SET session_replication_role = replica")  # any order will do
        for table in metadata.sorted_tables:
            rows = [dict(row._mapping) for row in reader.execute(select(old.tables[table.name]))]
            for row in rows:
                for column in table.c:
                    row[column.name] = _aware(row[column.name])
            writer.execute(table.delete())
            if rows:
                writer.execute(table.insert(), rows)


def _aware(value):
    """SQLite forgets that times are UTC."""
    return f"{value.isoformat()}+00:00" if isinstance(value, datetime) else value


def prepare_sample(url: str) -> None:
    """Prepares a database: the newest sample, upgraded. A county with everything in it, in a second; its time is `SAMPLE_NOW`."""
    from tests.support.databases import migrate

    with tempfile.TemporaryDirectory() as folder:
        Sample(NAMES[-1]).load(url, Path(folder))
    migrate(url)


SAMPLE_NOW = datetime.fromisoformat(Sample(NAMES[-1]).about["now"])
