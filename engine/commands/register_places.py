"""Entries follow whom they are about: who looks after a person's or client's new place sees them, who looked after the old one no more."""

from collections.abc import Iterable

from sqlalchemy import select

from engine.audit import Kind
from engine.commands import Act
from engine.organisation import Unit
from engine.registers.entries import RegisterEntry, stream


def follow(act: Act, subject_ids: Iterable[str], unit: Unit) -> None:
    """People or clients are at another unit now; an event in the stream of each who has entries."""
    query = select(RegisterEntry).where(RegisterEntry.subject_id.in_(list(subject_ids)), RegisterEntry.place_path != unit.path)
    moved = set()
    for entry in act.session.scalars(query.with_for_update()):
        entry.place_path, entry.station_id = unit.path, unit.station_id
        moved.add(entry.subject_id)
    for subject_id in sorted(moved):
        act.record(stream(subject_id), Kind.REGISTER_MOVED, facts={"to": unit.key})
