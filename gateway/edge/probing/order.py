"""What a person may have looked for from the page of a box, and what not. Pure.

A search asks whoever is named, in a driver's protocol, and only reads. With the token of the page
one may reach by it what the gateway reaches in its plant; what is beyond that – files of the box,
the internet, device files that are no serial ports – takes the command on the box itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints
from urllib.parse import urlsplit

from edge_config.models.base import Secret
from edge_config.models.settings import Settings
from edge_config.models.wide import narrow
from gateway.drivers.search import SearchOptions
from gateway.drivers.spec import DriverSpec

LONGEST = 300
"""Characters of a field that are taken."""
LEAST_PAUSE_MS = 10
"""Whoever is at a distance floods nobody."""


class NotAllowedError(Exception):
    """A search is not begun.

    Attributes:
        why: what stands under ``probe.refused.<why>`` in the catalogues.
        about: what it is about, for the place ``{about}`` of these words.
    """

    def __init__(self, why: str, about: str = "") -> None:
        super().__init__(f"{why}: {about}")
        self.why = why
        self.about = about


class Option(NamedTuple):
    """What a person may say of a search.

    Attributes:
        name: of the driver's option.
        title_zh: for Chinese readers.
        title_en: for English readers.
        default: as it would be written.
        is_flag: yes or no; the default of one is ``True`` or ``False``.
    """

    name: str
    title_zh: str
    title_en: str
    default: str
    is_flag: bool


class Reach(NamedTuple):
    """Where a search looks.

    Attributes:
        hosts: names and addresses.
        port: of the host; None: the usual one.
        serial: path of a serial port; empty: none.
    """

    hosts: tuple[str, ...]
    port: int | None
    serial: str


@dataclass(frozen=True, slots=True)
class Order:
    """A search that was asked for.

    Attributes:
        driver: name of the driver that looks.
        url: where.
        options: of the command, as it is written.
        reach: where it leads.
        who: asked for it, for the log.
    """

    driver: str
    url: str
    options: tuple[str, ...]
    reach: Reach
    who: str


def options_of(model: type[SearchOptions]) -> list[Option]:
    """What a form asks for, the driver's own first."""
    found = [
        Option(
            one.name,
            one.metadata["title_zh"] or one.name,
            one.metadata["title_en"] or one.name,
            "" if one.default is MISSING else str(one.default),
            isinstance(one.default, bool),
        )
        for one in fields(model)
    ]
    common = {one.name for one in fields(SearchOptions)}
    return sorted(found, key=lambda one: one.name in common)


def ordered(spec: DriverSpec, fields_: Mapping[str, str], who: str) -> Order:
    """The search that a form asks for.

    Args:
        spec: the driver; it can look for devices.
        fields_: of the form: ``url``, and the driver's options by name; a flag is set if it is
            there.
        who: asks.

    Raises:
        NotAllowedError: it is none, or leads where nobody may look from the page.
    """
    assert spec.search is not None  # noqa: S101 - else nobody is offered it
    url = _plain(fields_.get("url", ""))
    try:
        target = spec.search.target(url)
    except ValueError as error:
        raise NotAllowedError("url", str(error)) from error
    written = {**target.connection, **target.unit}
    for key in _of_the_box(spec.connection, written):
        raise NotAllowedError("file", key)
    options = tuple(_written(spec.search.options, fields_))
    return Order(spec.name, url, options, _reach(written), who)


def _written(model: type[SearchOptions], fields_: Mapping[str, str]) -> Iterator[str]:
    for one in options_of(model):
        name = one.name.replace("_", "-")
        if one.is_flag:
            yield f"--{name}" if one.name in fields_ else f"--no-{name}"
            continue
        value = _plain(fields_.get(one.name, "")) or one.default
        if one.name == "pause_ms" and value.isdecimal() and int(value) < LEAST_PAUSE_MS:
            raise NotAllowedError("pause", str(LEAST_PAUSE_MS))
        yield f"--{name}={value}"  # in one word: what begins with a stroke is no option


def _plain(written: str) -> str:
    """What was typed, without what no argument of a process may hold."""
    return narrow(written.replace("\0", "")).strip()[:LONGEST]


def _of_the_box(model: type[Settings], written: Mapping[str, Any]) -> Iterator[str]:
    """Keys that mean files or secrets of the box; they would be shown to whoever answers."""
    types = get_type_hints(model)
    for key, value in written.items():
        is_nested = isinstance(value, Mapping) and key != "serial"
        if is_nested or {Path, Secret} & _mentioned(types.get(key)):
            yield key


def _mentioned(annotation: Any) -> set[Any]:
    return {annotation}.union(*(_mentioned(part) for part in get_args(annotation)))


def _reach(written: Mapping[str, Any]) -> Reach:
    """Whatever in a connection names a place; none is passed over."""
    serial = written.get("serial", "")
    path = serial.get("port", "") if isinstance(serial, Mapping) else str(serial)
    urls = [urlsplit(one) for one in map(str, written.values()) if "://" in one]
    named = [str(written["host"])] if "host" in written else []
    hosts = (*named, *(one.hostname for one in urls if one.hostname))
    port = written.get("port") if named or not urls else urls[0].port
    if not hosts and not path:
        raise NotAllowedError("nowhere")
    return Reach(hosts, port, path)


def is_of_the_internet(address: str) -> bool:
    """Whether an IP address is one that the whole world reaches, and no plant has for itself."""
    found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    within = getattr(found, "ipv4_mapped", None) or found
    return within.is_global or within.is_multicast
