"""A county that looks lived in: people served, and cases standing at every stage. For demonstrations, tests and benches.

Everything is made by commands, as people would; nothing writes rows. All persons, numbers and stories are invented.
"""

from webapp.demo.answers import answer
from webapp.demo.backlog import seed_backlog
from webapp.demo.people import seed_clients
from webapp.demo.petitions import seed_petitions
from webapp.demo.registers import seed_registers

__all__ = ["answer", "seed_backlog", "seed_clients", "seed_petitions", "seed_registers"]
