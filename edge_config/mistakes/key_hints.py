"""What a key was meant to be that is unknown where it stands. Pure."""

from collections.abc import Collection, Iterator, Mapping

from edge_config.mistakes.problems import Loc, hint
from edge_config.mistakes.shape import declared, fields_at, models_at, models_in
from edge_config.models.settings import Settings

SYNONYMS = {
    "address": "host",
    "baudrate": "baud",
    "broker": "northbound",
    "byte_order": "order",
    "com": "serial",
    "com_port": "serial",
    "cycle_ms": "interval_ms",
    "data_type": "type",
    "datatype": "type",
    "environment": "env",
    "framer": "framing",
    "ip": "host",
    "mqtt": "northbound",
    "parity": "serial",
    "path": "file",
    "period_ms": "interval_ms",
    "points": "tags",
    "poll_interval_ms": "interval_ms",
    "register": "address",
    "registers": "tags",
    "serial_port": "serial",
    "server": "url",
    "signals": "tags",
    "slave": "unit",
    "slave_id": "unit",
    "speed": "baud",
    "station": "unit",
    "tty": "serial",
    "type": "role",
    "unit_id": "unit",
    "variables": "tags",
    "word_order": "order",
}
"""Words of other products that spelling alone does not lead to ours from."""

OTHER_WORDS = {
    "01": "coil",
    "02": "discrete",
    "03": "holding",
    "04": "input",
    "线圈": "coil",
    "离散输入": "discrete",
    "保持寄存器": "holding",
    "输入寄存器": "input",
    "int": "int16",
    "word": "uint16",
    "dint": "int32",
    "long": "int32",
    "dword": "uint32",
    "real": "float32",
    "float": "float32",
    "single": "float32",
    "lreal": "float64",
    "double": "float64",
}
"""Values of controllers and other products: spelling alone would lead from FLOAT to float64."""

PHRASES = {
    "ascii": "framing: ascii",
    "rtu": "framing: rtu",
    "rtu_over_tcp": "framing: rtu",
    "rtu_over_udp": "framing: rtu, transport: udp",
    "rtu_tcp": "framing: rtu",
    "rtutcp": "framing: rtu",
    "rtuovertcp": "framing: rtu",
    "serial": "serial: /dev/serial/by-id/…",
    "tcp": "transport: tcp",
    "telnet": "framing: rtu",
    "tls": "transport: tls",
    "udp": "transport: udp",
}
"""What other products say of how a device is reached (``mode: rtu_over_tcp``, ``type: serial``,
``transport: rtu``), whatever their key, and what is written here instead."""


def phrase(value: object, known: Collection[str]) -> str:
    """``; write 'framing: rtu'`` for a value of other products, where its key is known here."""
    word = str(value).casefold().replace("-", "_").replace(" ", "_")
    found = PHRASES.get(word, "")
    return f"; write {found!r}" if found.partition(":")[0] in known else ""


DriverKeys = Mapping[str, Collection[str]]
"""Keys below the fields whose contents a driver defines, as ``connection``."""


def key_hint(model: type[Settings], around: Loc, key: str, inner: DriverKeys) -> str:
    """``; did you mean 'x'?`` for an unknown key, or nothing.

    It may be misspelled, a word of other products, or right in another place: that place is then
    given with points, from here (``groups.tags``) or from the top (``profiles.groups.tags``).

    Args:
        model: of the whole that was validated.
        around: where the key stands.
        key: the key.
        inner: what drivers know below fields of any contents.
    """
    known = fields_at(model, around)
    other = SYNONYMS.get(key)
    words = [key, other] if other else [key]
    theirs = {name: keys for name, keys in inner.items() if name in known}
    found = [f"{name}.{key}" for name, keys in theirs.items() if key in keys]
    found += [word for word in words if word in known]
    found += [f"{name}.{other}" for name, keys in theirs.items() if other in keys]
    found += _home(model, around, other) if other else []
    if not found and not hint(key, known):
        found = _home(model, around, key)
    return f"; did you mean {found[0]!r}?" if found else hint(key, known)


def _home(model: type[Settings], around: Loc, key: str) -> list[str]:
    """The only place for a key: below where it stands, else around that or in a profile."""
    below = {place for one in models_at(model, around) for place in _places(one, key, ())}
    steps = [step for step in around if isinstance(step, str)]
    near = {place for place in _places(model, key, ()) if _is_near(place.split(".")[:-1], steps)}
    return next((list(places) for places in (below, near) if len(places) == 1), [])


def _is_near(place: list[str], steps: list[str]) -> bool:
    """Whether a place encloses another, or is in a profile, which is the other half of a device."""
    return steps[: len(place)] == place or place[:1] == ["profiles"]


def _places(model: type[Settings], key: str, through: tuple[type[Settings], ...]) -> Iterator[str]:
    """Paths from a model to every field of that name; a model within itself is passed over."""
    if model in through:
        return
    for name, found in declared(model).items():
        if name == key:
            yield name
        for inner in models_in(found.type):
            yield from (f"{name}.{place}" for place in _places(inner, key, (*through, model)))
