"""Handles by the native protocol; VAA codes by the handle that may stand for them."""

import time

from gateway.identifier.codes.code import Code
from gateway.identifier.codes.handle import Handle
from gateway.identifier.codes.vaa import Vaa
from gateway.identifier.irp.bodies import Question
from gateway.identifier.irp.codes import Rc
from gateway.identifier.irp.values import Value, left_s
from gateway.identifier.native.walking.walk import Found, Walker
from gateway.identifier.native.walking.way import Hop as Step
from gateway.identifier.native.walking.way import WalkError
from gateway.identifier.resolving.answer import Answer, Hop, Item, Outcome

_OUTCOMES: dict[int, Outcome] = {
    Rc.BUSY: Outcome.BUSY,
    Rc.NOT_RESPONSIBLE: Outcome.NOT_RESPONSIBLE,
    Rc.INVALID_HANDLE: Outcome.INVALID,
    Rc.INVALID_ADMIN: Outcome.DENIED,
    Rc.NOT_PERMITTED: Outcome.DENIED,
    Rc.CHALLENGE: Outcome.DENIED,
}


class NativeSource:
    """Servers that are walked through from some to begin with.

    Args:
        name: as answers name it.
        walker: asks them.
        takes_vaa: VAA codes are asked for by their handle; whoever runs the node must say so.
    """

    def __init__(self, name: str, walker: Walker, *, takes_vaa: bool = False) -> None:
        self.name = name
        self._walker = walker
        self._takes_vaa = takes_vaa

    def takes(self, code: Code) -> bool:
        """See ``Source``."""
        return isinstance(code, Handle) or (self._takes_vaa and isinstance(code, Vaa))

    async def ask(self, code: Code) -> Answer:
        """See ``Source``."""
        handle = code.handle() if isinstance(code, Vaa) else code
        try:
            found = await self._walker.resolve(Question(str(handle)))
        except WalkError as error:
            outcome = Outcome.NOT_FOUND if error.is_certain else _OUTCOMES.get(error.rc)
            return Answer(
                str(code),
                outcome or Outcome.UNREACHABLE,
                source=self.name,
                why=str(error),
                hops=self._hops(error.hops),
            )
        return self._answer(str(code), found)

    async def close(self) -> None:
        """See ``Source``."""
        self._walker.close()

    def _answer(self, code: str, found: Found) -> Answer:
        values, now_s = found.held.values, time.time()
        return Answer(
            code,
            Outcome.FOUND,
            tuple(Item(one.type, text_of(one), one.index) for one in values),
            self.name,
            ttl_s=min((left_s(one, now_s) for one in values), default=0),
            hops=self._hops(found.hops),
        )

    def _hops(self, steps: tuple[Step, ...]) -> tuple[Hop, ...]:
        return tuple(
            Hop(self.name, one.place, one.handle, one.outcome, one.took_s) for one in steps
        )


def text_of(value: Value) -> str:
    """What a value holds, if it is a text; else its octets in hexadecimal."""
    try:
        text = value.data.decode()
    except UnicodeDecodeError:
        return value.data.hex()
    return text if text.isprintable() else value.data.hex()
