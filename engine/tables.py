"""Every table, imported in one place: for migrations, and for `verify`, which compares all guarded rows."""

from engine import (
    accounts,
    audit,
    calendar,
    calls,
    clients,
    commands,
    definitions,
    deliveries,
    handovers,
    instances,
    jobs,
    messages,
    organisation,
    parameters,
    team,
    timers,
    vault,
)
from engine.db import Base
from engine.registers import alerts, entries, looks, outings

__all__ = [
    "Base",
    "accounts",
    "alerts",
    "audit",
    "calendar",
    "calls",
    "clients",
    "commands",
    "definitions",
    "deliveries",
    "entries",
    "handovers",
    "instances",
    "jobs",
    "looks",
    "messages",
    "organisation",
    "outings",
    "parameters",
    "team",
    "timers",
    "vault",
]
