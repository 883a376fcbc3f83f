"""Reading a DMN file into plain records. Nothing is compiled here, and nothing is skipped in silence: every element and attribute
is either understood, harmless (documentation, drawing) or a finding that refuses the deployment.

`base` knows XML, names of types and findings; `tables` decision tables; `boxed` the other boxed expressions; `files` the document,
the requirements graph and the item definitions.
"""

from engine.decisions.reading.files import read

__all__ = ["read"]
