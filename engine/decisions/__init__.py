"""Decision tables: DMN 1.3 as dmn-js writes it, compiled once and evaluated without surprises.

What is supported: decision tables with hit policies UNIQUE, ANY, FIRST, RULE ORDER and COLLECT (also with SUM, MIN, MAX, COUNT),
several inputs and outputs, types and allowed values; literal expressions; decisions that require other decisions of the same
file, whose results they see under their id and under the name of their variable. Everything else is refused at deployment with
the id of the element and the reason.
"""

from engine.decisions.graph import Decision, Decisions, Outcome, compile_decisions, decide

__all__ = ["Decision", "Decisions", "Outcome", "compile_decisions", "decide"]
