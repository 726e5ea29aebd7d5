"""The unified social credit code (统一社会信用代码), GB 32100-2015."""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH = 18
_BASE = len(ALPHABET)


def check_character(first17: str) -> str:
    """The 18th character that belongs to the first 17 (GB 32100-2015, clause 6).

    Raises:
        ValueError: a character outside the alphabet, or not 17 of them.
    """
    if len(first17) != LENGTH - 1:
        raise ValueError(f"{len(first17)} characters instead of {LENGTH - 1}")
    total = sum(
        ALPHABET.index(character) * pow(3, place, _BASE) for place, character in enumerate(first17)
    )
    return ALPHABET[-total % _BASE]


def problem(code: str) -> str | None:
    """What is wrong with a code, in words; None if it is well-formed."""
    if len(code) != LENGTH:
        return f"has {len(code)} characters instead of {LENGTH}"
    strange = sorted(set(code) - set(ALPHABET))
    if strange:
        return f"contains {''.join(strange)!r}; digits and capital letters without I O S V Z only"
    expected = check_character(code[:-1])
    if code[-1] != expected:
        return f"check digit is {code[-1]!r}, but {expected!r} belongs to the rest"
    return None
