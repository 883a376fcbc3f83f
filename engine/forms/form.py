"""The compiled form as the rest of the product sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.findings import Finding
from engine.forms.model import Component, nothing
from engine.forms.reading import read
from engine.forms.types import types_of
from engine.forms.viewing import FieldView, data, live_context, view


@dataclass(frozen=True)
class Form:
    """A compiled form, immutable. `fields` are its top components, `keys` the variables it may write, `names` those its FEEL reads.

    `findings` are remarks (warnings) only: a form with errors does not compile. `live_names` are the variables that the browser
    needs to show and hide fields by itself. In all methods `variables` are FEEL values, `submitted` is plain JSON and `clock` the
    aware time of now in the county's zone; FEEL that asks too much raises FeelLimit.
    """

    id: str
    fields: tuple[Component, ...]
    keys: frozenset[str]
    names: frozenset[str]
    live_names: frozenset[str]
    findings: tuple[Finding, ...] = ()
    # Whether hiding, read-only or computed values depend on data: else one pass settles them.
    live: bool = False
    # "" and the id of each dynamic list → the tree of names that may be submitted in that scope.
    known: Mapping[str, Mapping] = field(default_factory=nothing, repr=False)

    def read(self, submitted: Mapping, variables: Mapping, clock: datetime | None = None) -> dict[str, Any]:
        """What was submitted, checked and as FEEL values: only the form's own visible, enabled keys.

        The server's `variables` fill what is missing or read-only, FEEL what is computed; disabled and hidden fields are left out.
        Contexts and fixed lists keep the entries that the form does not show. Raises InvalidForm({path: Message}).
        """
        return read(self, submitted, variables, clock)

    def view(
        self,
        variables: Mapping,
        submitted: Mapping | None = None,
        errors: Mapping[str, str] | None = None,
        clock: datetime | None = None,
    ) -> list[FieldView]:
        """The form as a tree of `FieldView`s, with `submitted` (even if wrong) in the fields and `errors` beside them."""
        return view(self, variables, submitted, errors, clock)

    def data(self, variables: Mapping, clock: datetime | None = None) -> dict[str, Any]:
        """Plain JSON of the form's own keys as it opens: variables, else defaults, else empty values; computed ones computed."""
        return data(self, variables, clock)

    def context(self, variables: Mapping) -> dict[str, Any]:
        """The variables the browser needs for live conditions, and no others, in FEEL's tagged JSON (dates stay dates)."""
        return live_context(self, variables)

    def variables(self) -> dict[str, str]:
        """The variables that the form produces, each with its type as FEEL writes it (`list<context<text: string>>`), for lint."""
        return types_of(self.fields)
