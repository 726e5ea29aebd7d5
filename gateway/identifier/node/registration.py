"""What is registered of one identifier. Pure."""

from dataclasses import dataclass

from gateway.identifier.irp.bodies import Held
from gateway.identifier.irp.values import Value
from gateway.identifier.native.records import TEMPLATE, TEMPLATE_INDEX


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
