"""What a mail server does that is not well: for ``python -m aiosmtpd -c``.

It keeps what it takes as files, and answers by the name that a mail is for.
"""

import asyncio
import json
from pathlib import Path
from typing import Any


class Keeping:
    """Takes mails; ``busy@…`` is put off, ``gone@…`` refused, ``slow@…`` not answered."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    @classmethod
    def from_cli(cls, _parser: Any, folder: str) -> "Keeping":
        """As the program's command line names it."""
        return cls(folder)

    async def handle_RCPT(  # noqa: N802 - as the library calls it
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        """Answer for one recipient."""
        name = address.partition("@")[0]
        if name == "slow":
            await asyncio.sleep(3_600)
        if name == "gone":
            return "550 5.1.1 no such user"
        if name == "busy":
            return "451 4.2.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep a mail: envelope and octets."""
        number = len(list(self.folder.glob("*.json")))
        told = {"from": envelope.mail_from, "to": envelope.rcpt_tos}
        told["data"] = envelope.content.decode("latin-1")
        draft = self.folder / f"{number}.draft"
        draft.write_text(json.dumps(told))
        draft.rename(self.folder / f"{number:03d}.json")
        return "250 OK"
