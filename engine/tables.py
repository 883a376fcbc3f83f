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
    instances,
    jobs,
    messages,
    organisation,
    parameters,
    timers,
    vault,
    waivers,
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
    "instances",
    "jobs",
    "looks",
    "messages",
    "organisation",
    "outings",
    "parameters",
    "timers",
    "vault",
    "waivers",
]
