"""Parts of a workbook as a stream of elements: nothing is expanded, nothing is kept."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO
from xml.parsers import expat

from edge_config.tables.sheet import TableError

Attributes = dict[str, str]
_CHUNK = 65_536


def local(name: str) -> str:
    """The name of an element or attribute without its namespace's prefix."""
    return name.rpartition(":")[2] if ":" in name else name


def chunks_of(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a part, a piece at a time."""
    while chunk := stream.read(_CHUNK):
        yield chunk


def parse(
    chunks: Iterable[bytes],
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Read one part.

    Args:
        chunks: its bytes, in pieces.
        start: called with the name, prefix included, and the attributes of each element.
        end: called with its name.
        text: called with texts, in pieces.

    Raises:
        TableError: it declares a document type, which spreadsheets never do and bombs need.
        expat.ExpatError: it is not well-formed.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    for chunk in chunks:
        parser.Parse(chunk, False)
    parser.Parse(b"", True)


def _refuse(*_: object) -> None:
    raise TableError("declares a document type of its own, which no spreadsheet does")


def elements(stream: IO[bytes]) -> list[tuple[str, str, Attributes]]:
    """All elements of a small part: name of the one around, own name, attributes; no prefixes."""
    found: list[tuple[str, str, Attributes]] = []
    around = [""]

    def start(name: str, attributes: Attributes) -> None:
        name = local(name)
        own = {local(key): value for key, value in attributes.items()}
        found.append((around[-1], name, own))
        around.append(name)

    def end(_: str) -> None:
        around.pop()

    parse(chunks_of(stream), start, end)
    return found
