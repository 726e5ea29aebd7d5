"""Tags and addresses as words of a command line."""

from typing import TYPE_CHECKING, Any

from gateway.cli.edge.asking.opening import refuse

if TYPE_CHECKING:
    from edge_config.loading.resolved import LoadedGateway, ResolvedDevice
    from gateway.edge.control.values import AskedAddress


def points_of(loaded: "LoadedGateway", device: str, words: list[str]) -> dict[str, Any]:
    """Arguments of the command ``read``; exits 1 if a word is neither tag nor address.

    Args:
        loaded: the configuration.
        device: its device.
        words: names of tags, or addresses in the driver's text form.
    """
    from gateway.edge.live.naming import meant

    resolved = resolved_named(loaded, device)
    tags = [word for word in words if meant(resolved, word)]
    return {
        "device": device,
        "tags": tags,
        "addresses": [_address(resolved, word) for word in words if word not in tags],
    }


def resolved_named(loaded: "LoadedGateway", device: str) -> "ResolvedDevice":
    """A device of a configuration; exits 1 if there is none of that id."""
    from edge_config.mistakes.problems import no_device

    found = {one.config.id: one for one in loaded.devices}
    return found[device] if device in found else refuse(no_device(device, found))


def _address(device: "ResolvedDevice", text: str) -> "AskedAddress":
    from pydantic import ValidationError

    from edge_config.mistakes.problems import hint
    from edge_config.mistakes.sentences import sentence
    from edge_config.models.validation import validated
    from gateway.drivers.registry import installed
    from gateway.edge.control.values import AskedAddress

    spec = installed()[device.config.driver]
    try:
        return AskedAddress.of(text, validated(spec.address, text))
    except ValidationError as error:
        wrong = "; ".join(sentence(spec.address, one, {}) for one in error.errors())
        names = (tag.config.name for group in device.groups for tag in group.tags)
        refuse(
            f"{text!r} is no tag of {device.config.id}, and no address of {spec.name}: "
            f"{wrong}{hint(text, names)}"
        )
