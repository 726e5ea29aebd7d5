"""Commands that write to a device of a running gateway, for people of this box."""

import msgspec

from gateway.edge.commands.writer import COMMAND_LINE, Preview, Writer
from gateway.edge.control.command import Command
from gateway.wire.commands import Command as Order
from gateway.wire.commands import CommandAnswer, Name


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """What a tag is to show.

    Attributes:
        device: device id.
        tag: its tag.
        value: scaled; a number may be written as text.
    """

    device: Name
    tag: Name
    value: int | float | bool | str


class Write(msgspec.Struct, forbid_unknown_fields=True):
    """The same, to be written.

    Attributes:
        id: of the command; the same one is never carried out twice.
        device: device id.
        tag: its tag.
        value: scaled; a number may be written as text.
        who: person, for the record.
    """

    id: Name
    device: Name
    tag: Name
    value: int | float | bool | str
    who: Name


async def previewed(writer: Writer, wanted: Wanted) -> Preview:
    """What a write would do; raises what :meth:`Writer.preview` does."""
    return await writer.preview(wanted.device, wanted.tag, wanted.value)


async def written(writer: Writer, order: Write) -> CommandAnswer:
    """Write it; the answer says what became of it."""
    command = Order(order.id, order.device, order.tag, order.value, who=order.who)
    return await writer.write(command, COMMAND_LINE, lambda _: None)


def writing(writer: Writer) -> dict[str, Command]:
    """The commands by name."""

    async def preview(wanted: Wanted) -> Preview:
        return await previewed(writer, wanted)

    async def write(order: Write) -> CommandAnswer:
        return await written(writer, order)

    return {"preview": Command(Wanted, preview), "write": Command(Write, write)}
