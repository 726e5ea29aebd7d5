"""``qulink write``: one value to a device."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.edge.asking.opening import (
    AsJson,
    Config,
    Device,
    alone,
    ask_running,
    load,
    print_json,
    refuse,
)
from gateway.cli.user import system_user
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from gateway.edge.device.asking.alone import Alone

Assignment = Annotated[str, typer.Argument(help="TAG=VALUE; the value as pages show it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def register(root: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink write gateway.yaml press-1 speed=12.5`"
    root.command("write", epilog=example)(write)


def write(
    config: Config,
    device: Device,
    assignment: Assignment,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Write one value to a device, and read it back.

    Only tags with `access: read-write` can be written, within their limits, and only if the
    configuration says `commands: {enabled: true}`. A value that the device cannot hold exactly
    is refused. What is done is recorded beside the buffer (`qulink commands audit`). The gateway
    that runs does it, before its own readings; where none runs, the device is opened for it.

    Exit code 0: written and read back; 1: refused, nothing was written; 2: it is or may be
    written, but the device does not show it.
    """
    tag, value = _parts(assignment)
    wanted = {"device": device, "tag": tag, "value": value}
    if not yes:
        _confirm(device, tag, _carry_out(config, "preview", wanted))
    answer = _carry_out(config, "write", wanted | {"id": _new_id(), "who": system_user()})
    if as_json:
        print_json(answer)
    else:
        typer.echo(_sentence(device, tag, answer))
    raise typer.Exit({"verified": 0, "refused": 1}.get(answer["state"], 2))


def _parts(assignment: str) -> tuple[str, str]:
    tag, equals, value = assignment.partition("=")
    if not equals or not tag.strip():
        refuse(f"{assignment!r} is no assignment; write TAG=VALUE, as speed=12.5")
    return tag.strip(), value


def _new_id() -> str:
    from uuid import uuid4

    return f"cli-{uuid4().hex}"


def _confirm(device: str, tag: str, preview: dict[str, Any]) -> None:
    raw = "" if preview["raw"] == preview["wanted"] else f" (raw {preview['raw']})"
    typer.echo(f"{device} {tag}: now {_shown(preview['before'])}, to be {preview['wanted']}{raw}")
    if not typer.confirm("write it?"):
        refuse("nothing was written")


def _shown(value: Any) -> str:
    return "BAD" if value is None else visible(str(value))


def _sentence(device: str, tag: str, answer: dict[str, Any]) -> str:
    if answer["state"] == "verified":
        before, after = _shown(answer.get("before")), _shown(answer.get("shows"))
        return f"verified: {device} {tag} was {before} and is {after}"
    return f"{answer['state']}: {device} {tag}: {visible(answer.get('words', ''))}"


def _carry_out(config: Any, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """By the gateway that runs, or alone; exits 1 if that is not possible."""
    from edge_config.mistakes.problems import ConfigError
    from gateway.edge.control.protocol import ControlError, NoAnswerError, NoGatewayError

    try:
        answer: dict[str, Any] = ask_running(config, command, **arguments)
    except NoGatewayError:
        answer = _alone(config, command, arguments)
    except NoAnswerError as error:
        answer = _unknown(command, error)
    except (ConfigError, ControlError) as error:
        refuse(error)
    return answer


def _unknown(command: str, error: Exception) -> dict[str, Any]:
    """What is to be said of a gateway that does not answer; a preview has done nothing."""
    if command == "preview":
        refuse(error)
    words = f"it may have been written: {error}; `qulink commands audit` says how far it came"
    return {"state": "unknown", "words": words}


def _alone(config: Any, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    import msgspec

    from gateway.edge.commands.writer import writer_of
    from gateway.edge.control.writing import Wanted, Write, previewed, written
    from gateway.edge.device.clock import Clock

    loaded = load(config)

    async def work(device: "Alone") -> Any:
        writer = writer_of(loaded, lambda _: device, Clock())
        try:
            if command == "preview":
                return await previewed(writer, Wanted(**arguments))
            return await written(writer, Write(**arguments))
        finally:
            await writer.finish()

    found: dict[str, Any] = msgspec.to_builtins(alone(loaded, arguments["device"], work))
    return found
