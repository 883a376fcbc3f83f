"""What regulations may ask about: `needs` reads off the tables what they ask, `gathering` fetches that and nothing else."""

from engine.facts.gathering import Asked, gather
from engine.facts.needs import Needs, project

__all__ = ["Asked", "Needs", "gather", "project"]
