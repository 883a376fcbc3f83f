"""DMN, whole tables and graphs: compiled once and evaluated without surprises. Files of DMN 1.1 to 1.5; sections are those of 1.5.

Decision tables with every hit policy and aggregator, default outputs, types and allowed values; boxed expressions (literal, context,
list, relation, function, invocation, conditional, filter, iterators); requirements between decisions, input data, business knowledge
models and decision services of the same file; item definitions. What a decision requires it sees under the name of its variable (of a
decision also under its id). Refused at deployment with the id of the element and the reason: imports, functions in Java or PMML,
languages other than FEEL, and whatever is unknown.

`reading` makes records (`model`) of the XML, `building` compiles them: `types`, `compiling` (FEEL), `table` with `index` and `hits`,
`boxed`, `graph`. `running` is what an evaluation hands down.
"""

from engine.decisions.building import compile_decisions, decide
from engine.decisions.graph import Decision, Decisions, Outcome, Service

__all__ = ["Decision", "Decisions", "Outcome", "Service", "compile_decisions", "decide"]
