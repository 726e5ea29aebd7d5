"""Labels for label printers (ZPL II, as Zebra's programming guide has it). Pure."""

import segno

from gateway.identifier.labels.label import PADDING, Label, Size, lines_of

DOTS_PER_MM = 8
"""Of 203 dpi printers; 12 of 300 dpi, 24 of 600 dpi."""
_MAX_MAGNIFICATION = 10


def zpl(label: Label, size: Size, dots_per_mm: int = DOTS_PER_MM) -> str:
    """One label, in UTF-8; Chinese needs a font of the printer that has it (``^CW``, ``^A@``)."""

    def dots(length: float) -> int:
        return round(length * dots_per_mm)

    modules = segno.make(label.code, error="m", micro=False).symbol_size(border=0)[0]
    magnification = max(1, min(_MAX_MAGNIFICATION, dots(size.qr) // modules))
    parts = [
        f"^XA^CI28^PW{dots(size.width)}^LL{dots(size.height)}",
        f"^FO{dots(PADDING)},{dots(PADDING)}^BQN,2,{magnification}^FH_^FDMA,{_held(label.code)}^FS",
    ]
    x = dots(2 * PADDING + size.qr)
    for line in lines_of(label, size):
        y = dots(line.base - line.font)
        parts.append(f"^FO{x},{y}^A0N,{dots(line.font)}^FH_^FD{_held(line.text)}^FS")
    return "".join((*parts, "^XZ\n"))


def _held(text: str) -> str:
    """A text in which nothing is a command: what could be is written as its octets."""
    return "".join(_octets(one) if one in "^~_\\" or not one.isprintable() else one for one in text)


def _octets(character: str) -> str:
    return "".join(f"_{octet:02X}" for octet in character.encode())
