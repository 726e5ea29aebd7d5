"""What is registered of one identifier, and what stays of a withdrawn one. Pure."""

from dataclasses import dataclass

from gateway.identifier.irp.bodies import Held
from gateway.identifier.irp.values import HIDDEN, Value
from gateway.identifier.native.records import (
    TEMPLATE,
    TEMPLATE_INDEX,
    WITHDRAWN,
    WITHDRAWN_BY,
    WITHDRAWN_BY_INDEX,
    WITHDRAWN_INDEX,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """An identifier with what is kept of it.

    Attributes:
        handle: as it was registered.
        template_version: empty: it follows none.
        values: all of them.
    """

    handle: str
    template_version: str
    values: tuple[Value, ...]

    @property
    def prefix(self) -> str:
        """In upper case."""
        return self.handle.partition("/")[0].upper()

    @property
    def held(self) -> Held:
        """As the native protocol has it: the template stands among the values, at index 1000."""
        if not self.template_version:
            return Held(self.handle, self.values)
        changed_s = self.values[0].timestamp_s if self.values else 0
        template = Value(TEMPLATE_INDEX, TEMPLATE, self.template_version.encode(), changed_s)
        return Held(self.handle, (template, *self.values))


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What stays of a withdrawn identifier.

    Attributes:
        handle: as it was registered.
        at_ms: when it was withdrawn, UTC milliseconds.
        why: the reason; empty: none was given, or it is not told.
        by: the user who did it; empty likewise.
    """

    handle: str
    at_ms: int
    why: str = ""
    by: str = ""

    @property
    def held(self) -> Held:
        """As the native protocol has it: why and by whom, for nobody but who proves himself."""
        at_s = self.at_ms // 1000
        marks = (WITHDRAWN_INDEX, WITHDRAWN, self.why), (WITHDRAWN_BY_INDEX, WITHDRAWN_BY, self.by)
        values = (
            Value(index, kind, text.encode(), at_s, permissions=HIDDEN)
            for index, kind, text in marks
        )
        return Held(self.handle, tuple(values))
