"""Codes for "no value": those of a tag, or of its type in the profile, as raw numbers. Pure."""

from collections.abc import Iterator, Mapping

from edge_config.loading.specs import RawType
from edge_config.models.tag import Codes


def raw_codes(
    written: Codes | None, by_type: Mapping[str, Codes | None], raw: RawType | None
) -> Codes:
    """The codes of a tag as its raw numbers are read; those that cannot occur are left out.

    Args:
        written: of the tag itself.
        by_type: of the profile.
        raw: what the tag's address holds; None: not known.
    """
    codes = written if written is not None or raw is None else by_type.get(raw.name)
    found = (_as_read(code, raw) for code in codes or ())
    return tuple(code for code in found if code is not None)


def impossible(codes: Codes, raw: RawType | None) -> Iterator[str]:
    """A sentence for each code that no value of a type can be."""
    for code in codes:
        if raw is not None and _as_read(code, raw) is None:
            yield f"{code} cannot occur in {raw.name}{_range(raw)}"


def _as_read(code: float, raw: RawType | None) -> float | None:
    """The raw number that a code means: 0x8000 of int16 is -32768. None: there is none."""
    if raw is None or raw.least is None or raw.most is None:
        return code
    if isinstance(code, float):
        return None
    if raw.bits and raw.least < 0 and raw.most < code < 1 << raw.bits:
        return code - (1 << raw.bits)
    return code if raw.least <= code <= raw.most else None


def _range(raw: RawType) -> str:
    return "" if raw.least is None else f", which holds {raw.least} to {raw.most}"
