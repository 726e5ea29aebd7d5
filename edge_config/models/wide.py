"""Wide characters, as Chinese keyboards write them, and the narrow ones that they mean. Pure."""

_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xFFE5: 0xA5}
"""Wide digits, letters and signs (Unicode FF01–FF5E), blank and yen sign, as their narrow ones."""


def narrow(text: str) -> str:
    """A text with narrow digits, letters and signs.

    No more than wide forms: the compatible ones of Unicode would make 102 of 10², and m3 of m³.
    """
    return text if text.isascii() else text.translate(_NARROW)
