"""A device that a URL names, without a configuration."""

from typing import TYPE_CHECKING, Any

from gateway.cli.edge.asking.opening import refuse

if TYPE_CHECKING:
    from gateway.drivers.spec import DriverSpec


def connection_of(url: str, driver: str) -> "tuple[DriverSpec, Any]":
    """The driver and the connection that a URL means; exits 1 if it means none."""
    from edge_config.mistakes.explain import validate
    from edge_config.mistakes.problems import Loc, Problem

    spec, problems = _spec(driver), list[Problem]()

    def place(loc: Loc, message: str) -> Problem:
        return Problem(f"{url} {'.'.join(map(str, loc))}".rstrip(), message)

    try:
        found = spec.search.target(url)  # type: ignore[union-attr] # else it is refused
    except ValueError as error:
        refuse(error)
    keys = {**found.connection, **found.unit}
    connection = validate(spec.connection, keys, place, problems)
    if connection is None:
        refuse("\n".join(map(str, problems)))
    return spec, connection


def _spec(driver: str) -> "DriverSpec":
    """An installed driver whose devices URLs name."""
    from edge_config.mistakes.problems import hint
    from gateway.drivers.registry import installed

    if driver not in installed():
        refuse(f"no driver {driver!r} is installed{hint(driver, installed())}")
    spec = installed()[driver]
    if spec.search is None:
        refuse(f"driver {driver} is not reached by a URL; configure a device of it")
    return spec
