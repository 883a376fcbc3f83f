"""What would this change have done? Past decisions are made again, by a changed table, and compared with what was said.

Two kinds of decisions are kept so that they can be made again: acts that the regulations judged keep what the tables were told
(`CheckRerun`), cases that asked a table of their own procedure keep the values of its columns (`EvaluationRerun`). What the changed table
asks and nobody kept cannot be known: it is named and left out, and nothing is guessed. It goes on batch by batch from wherever it stopped;
memory is bounded by a batch and what is told one by one.
"""

from engine.reruns.checks import CheckRerun
from engine.reruns.evaluations import EvaluationRerun
from engine.reruns.outcome import Outcome, Rerun
from engine.reruns.requests import RerunRequest

__all__ = ["CheckRerun", "EvaluationRerun", "Outcome", "Rerun", "RerunRequest"]
