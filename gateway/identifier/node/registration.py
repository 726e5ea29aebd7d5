"""What is registered of one identifier. Pure."""

from dataclasses import dataclass

from gateway.identifier.irp.values import Value


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
