"""A registry out of its configuration."""

from collections.abc import Callable
from datetime import date
from functools import singledispatch

from edge_config.models.base import SecretUnavailableError
from edge_config.models.identifiers.places import place
from edge_config.models.identifiers.registries import (
    HandleJsonNode,
    IdhubNode,
    NativeNode,
    SnmsNode,
)
from gateway.identifier.calling import Caller
from gateway.identifier.irp.data import USUAL_RIGHTS, Admin
from gateway.identifier.native.administering import Administrator
from gateway.identifier.native.keys import KeyFileError, key_name
from gateway.identifier.registering.asking import meanings
from gateway.identifier.registering.handle_json import HandleJsonRegistry
from gateway.identifier.registering.handle_login import key_of
from gateway.identifier.registering.idhub import IdhubRegistry
from gateway.identifier.registering.native.registry import Habits, NativeRegistry
from gateway.identifier.registering.registry import Registry
from gateway.identifier.registering.snms.meanings import CODES, SUCCESS, WORDS, Paths
from gateway.identifier.registering.snms.registry import Manner, SnmsRegistry
from gateway.identifier.registering.snms.templates import ACTIVE, PASSIVE


@singledispatch
def registry_of(node: object, timeout_s: float, today: Callable[[], date]) -> Registry:
    """The registry that a configuration describes.

    Args:
        node: whose.
        timeout_s: for a whole answer.
        today: the Asia/Shanghai day.

    Raises:
        SecretUnavailableError: a key that is needed from the start cannot be used.
        OSError: a file of ``tls`` cannot be used.
    """
    raise TypeError(f"{type(node).__name__}, with {timeout_s} s and {today}, is no node")


@registry_of.register
def _snms(node: SnmsNode, timeout_s: float, today: Callable[[], date]) -> Registry:
    manner = Manner(
        paths=Paths(node.paths.login, node.paths.data, node.paths.template, node.paths.listing),
        meanings=meanings(CODES, WORDS, node.codes, node.words),
        withdrawal=node.withdrawal,
        reason=node.reason_field,
        success=SUCCESS | {one.casefold() for one in node.success},
        template=ACTIVE if node.carriers == "active" else PASSIVE,
    )
    caller = Caller(node.url, timeout_s, tls=node.tls)
    return SnmsRegistry(caller, node.username, node.password.reveal, today, manner)


@registry_of.register
def _idhub(node: IdhubNode, timeout_s: float, _today: Callable[[], date]) -> Registry:
    return IdhubRegistry(node, timeout_s)


@registry_of.register
def _handle_json(node: HandleJsonNode, timeout_s: float, _today: Callable[[], date]) -> Registry:
    return HandleJsonRegistry(node, timeout_s)


@registry_of.register
def _native(node: NativeNode, timeout_s: float, _today: Callable[[], date]) -> Registry:
    try:
        key = key_of(node.identity, node.login)
    except KeyFileError as error:
        raise SecretUnavailableError(f"the key of {node.identity}: {error}") from error
    name = key_name(node.identity)
    habits = Habits(
        name,
        Admin(int(USUAL_RIGHTS), name.handle, name.index),
        is_public=node.public,
        deletes=node.withdrawal == "delete",
        lists=node.listing,
    )
    server = Administrator(place(node.address), key, timeout_s)
    return NativeRegistry(f"native {node.address}", server, habits)
