"""Whether a value may be written, and which raw value that is. Pure.

Each rule that is broken refuses; the sentence says what was attempted, why not and what to do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from edge_config.loading.resolved import ResolvedTag
from edge_config.models.gateway import CommandsConfig
from edge_config.models.tag import TagConfig
from gateway.core.rules import TagRule
from gateway.drivers.api import Point, Value
from gateway.edge.commands.inverse import UnwritableValueError, raw_of, wanted_of
from gateway.edge.device.model import DeviceModel, rule_of
from gateway.edge.live.naming import all_called, meant, several
from gateway.wire.commands import Command

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

MOST_AHEAD_MS = 5_000
"""So much later than now a command may have been issued: clocks that are right differ."""


class CommandRefusedError(Exception):
    """Nothing was written; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A write that the gate lets pass.

    Attributes:
        point: where it is written.
        rule: how raw values of the tag become what is shown.
        raw: the value that the driver is to write.
        wanted: what the tag is then to show.
    """

    point: Point
    rule: TagRule
    raw: Value
    wanted: Value


def admit(model: DeviceModel, name: str, value: Value, config: CommandsConfig) -> Admitted:
    """Judge a write by everything but its time.

    Args:
        model: the device.
        name: of the tag.
        value: what it is to show afterwards; a number may be written as text.
        config: whether the gateway allows it.

    Raises:
        CommandRefusedError: it is not allowed, not possible or not exact.
    """
    if not config.enabled:
        raise CommandRefusedError(
            "this gateway writes nothing; 'commands: {enabled: true}' in its file allows it"
        )
    tag = _writable(model, name)
    rule = rule_of(tag, model.spec)
    try:
        wanted = wanted_of(rule, value)
        _demand_within(tag.config, wanted)
        raw = _raw(rule, wanted)
    except UnwritableValueError as error:
        raise CommandRefusedError(str(error)) from error
    return Admitted(Point(name, rule.raw, tag.address), rule, raw, _plain(wanted))


def _raw(rule: TagRule, wanted: Decimal | bool | str) -> Value:
    raw = raw_of(rule, wanted)
    if raw in rule.no_value:
        raise UnwritableValueError(f"raw {raw} says of this tag that it has no value (no_value)")
    return raw


def _plain(wanted: Decimal | bool | str) -> Value:
    if not isinstance(wanted, Decimal):
        return wanted
    return int(wanted) if wanted == wanted.to_integral_value() else float(wanted)


def _writable(model: DeviceModel, name: str) -> ResolvedTag:
    named, known = meant(model.resolved, name), _others(model)
    if not named:
        raise CommandRefusedError(f"device {model.id} has no tag {name[:64]!r}{known}")
    if len(named) > 1:
        raise CommandRefusedError(several(model.resolved, name, named))
    tag = named[0].tag
    if tag.config.access != "read-write":
        raise CommandRefusedError(
            f"tag {name!r} is for reading only; 'access: read-write' in its profile allows more"
            f"{known}"
        )
    if why := model.spec.read_only(tag.address):
        raise CommandRefusedError(f"cannot write {name} ({tag.address}): {why}{known}")
    return tag


def _others(model: DeviceModel) -> str:
    """The tags that can be written, as the end of a sentence."""
    open_ = [
        one.name
        for one in all_called(model.resolved)
        if one.tag.config.access == "read-write" and not model.spec.read_only(one.tag.address)
    ]
    return f"; can be written: {', '.join(open_[:20])}" if open_ else ""


def _demand_within(tag: TagConfig, wanted: Decimal | bool | str) -> None:
    if not isinstance(wanted, Decimal):
        return
    least, most = tag.write_limits
    if least is not None and wanted < Decimal(repr(least)):
        raise UnwritableValueError(f"the least that may be written is {least:g}")
    if most is not None and wanted > Decimal(repr(most)):
        raise UnwritableValueError(f"the most that may be written is {most:g}")


def demand_current(
    command: Command, config: CommandsConfig, now_ms: int, *, is_in_doubt: bool
) -> None:
    """Judge the times of a command that came from elsewhere.

    Args:
        command: its times are by its sender's clock.
        config: how long a command lives at most.
        now_ms: the gateway's time, UTC milliseconds.
        is_in_doubt: whether nobody has confirmed it.

    Raises:
        CommandRefusedError: it has expired, or that cannot be told.
    """
    for wrong in _wrong_times(command, config, now_ms, is_in_doubt=is_in_doubt):
        raise CommandRefusedError(wrong)


def _wrong_times(
    command: Command, config: CommandsConfig, now_ms: int, *, is_in_doubt: bool
) -> Iterator[str]:
    if is_in_doubt:
        yield (
            "the gateway's clock is in doubt, so whether the command has expired cannot be told; "
            "see to its time service"
        )
    if not 0 < command.issued_ms <= command.expires_ms:
        yield "a command says when it was issued and when it expires: issued_ms, expires_ms"
    if command.issued_ms > now_ms + MOST_AHEAD_MS:
        ahead_s = (command.issued_ms - now_ms) / 1000
        yield f"it was issued {ahead_s:.0f} s ahead of the gateway's time; compare the clocks"
    end_ms = min(command.expires_ms, command.issued_ms + config.expire_ms)
    if now_ms >= end_ms:
        late_s = (now_ms - end_ms) / 1000
        yield f"it expired {late_s:.1f} s ago, and nothing was written"


def demand_young(config: CommandsConfig, waited_s: float) -> None:
    """Judge how long a command has waited here, whatever it says of itself.

    Raises:
        CommandRefusedError: for too long.
    """
    if waited_s * 1000 > config.expire_ms:
        raise CommandRefusedError(
            f"it expired while it waited for {waited_s:.1f} s "
            f"(commands.expire_ms {config.expire_ms}), and nothing was written"
        )


def demand_id(text: str) -> None:
    """Refuse what is no id of a command.

    Raises:
        CommandRefusedError: it is none.
    """
    if not _ID.fullmatch(text):
        raise CommandRefusedError(
            "the id of a command has 1 to 64 letters, digits, dots, hyphens and underscores"
        )
