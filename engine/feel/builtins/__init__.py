"""The built-in functions, by topic. `BUILTINS` maps each name to its value; `registry` says how they are written."""

from engine.feel.builtins import contexts, conversions, lists, numbers, ranges, statistics, strings, temporal
from engine.feel.builtins.registry import BUILTINS

__all__ = ["BUILTINS", "contexts", "conversions", "lists", "numbers", "ranges", "statistics", "strings", "temporal"]
