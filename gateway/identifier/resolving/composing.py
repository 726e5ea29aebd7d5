"""A resolver out of its configuration."""

import time
from collections.abc import Callable
from functools import singledispatch

from edge_config.models.identifiers.places import place
from edge_config.models.identifiers.registries import IdhubNode, SnmsNode
from edge_config.models.identifiers.resolver import (
    DidResolver,
    Gs1Resolver,
    HandleJsonServer,
    NativeServers,
    OidServers,
    ResolverConfig,
    UrlResolver,
)
from gateway.core.days import day_of
from gateway.identifier.codes.code import System
from gateway.identifier.irp.data import BOTH, TCP, UDP, Interface, Server, Site
from gateway.identifier.native.walking.trust import Scope
from gateway.identifier.native.walking.walk import PATIENCE_S, Manner, Walker
from gateway.identifier.registering.asking import private_key
from gateway.identifier.registering.composing import registry_of
from gateway.identifier.registering.registry import Registry
from gateway.identifier.registering.source import RegisteredSource
from gateway.identifier.resolving.answer import Source
from gateway.identifier.resolving.by_url import UrlSource
from gateway.identifier.resolving.did import DidSource
from gateway.identifier.resolving.gs1 import Gs1Source
from gateway.identifier.resolving.handle_json import HandleJsonSource
from gateway.identifier.resolving.keeping import Disk, Memory
from gateway.identifier.resolving.native import NativeSource
from gateway.identifier.resolving.ors import OrsSource
from gateway.identifier.resolving.resolver import Resolver
from gateway.identifier.resolving.web import Web

_WALK = 1.5
"""A walk may take so many times the wait for one server; other sources want time as well."""
_REFERRALS = {"public": Scope.PUBLIC, "private": Scope.PRIVATE, "any": Scope.HOST}


def resolver_of(
    config: ResolverConfig,
    disk: Disk | None,
    now_s: Callable[[], float],
    own: Source | None = None,
) -> Resolver:
    """The resolver that a configuration describes; whoever opened the disk closes it.

    Args:
        config: who is asked.
        disk: what was found before; None keeps nothing.
        now_s: seconds since 1970.
        own: our own ledger; asked before all others, and never kept.
    """
    timeout_s = config.timeout_ms / 1000
    sources = [source_of(one, timeout_s) for one in config.sources]
    return Resolver(
        sources,
        Memory(config.kept),
        disk,
        now_s,
        own=own,
        total_s=config.total_ms / 1000,
        default_prefix=config.default_prefix,
    )


def site_of(server: str) -> Site:
    """A server as a site of its own, asked by TCP before UDP."""
    host, port = place(server)
    ways = tuple(Interface(BOTH, protocol, port) for protocol in (TCP, UDP))
    return Site((Server(1, host, ways),))


@singledispatch
def source_of(config: object, timeout_s: float) -> Source:
    """A source out of its configuration."""
    raise TypeError(f"{type(config).__name__}, with {timeout_s} s, is no source")


@source_of.register
def _native(config: NativeServers, timeout_s: float) -> Source:
    sites = tuple(map(site_of, config.servers))
    manner = Manner(
        timeout_s,
        _WALK * timeout_s,
        min(PATIENCE_S, timeout_s / 2),
        _REFERRALS[config.referrals],
        config.by_prefix,
        config.with_auth,
    )
    name = f"native {config.servers[0]}"
    return NativeSource(name, Walker(sites, manner), takes_vaa=config.vaa)


@source_of.register
def _handle_json(config: HandleJsonServer, timeout_s: float) -> Source:
    return HandleJsonSource(f"handle-json {config.url}", config.url, timeout_s)


@source_of.register
def _registered(config: SnmsNode | IdhubNode, timeout_s: float) -> Source:
    def make() -> Registry:
        if isinstance(config, SnmsNode):
            config.password.reveal()
        else:
            private_key(config.key, config.passphrase)
        return registry_of(config, timeout_s, lambda: day_of(time.time_ns() // 10**6))

    return RegisteredSource(f"{config.type} {config.url}", config.url, make)


@source_of.register
def _gs1(config: Gs1Resolver, timeout_s: float) -> Source:
    return Gs1Source(f"gs1 {config.url}", config.url, timeout_s)


@source_of.register
def _ors(config: OidServers, timeout_s: float) -> Source:
    return OrsSource(f"ors {config.root}", config.root, timeout_s, config.servers, config.port)


@source_of.register
def _did(config: DidResolver, timeout_s: float) -> Source:
    return DidSource(f"did {config.url}", config.url, timeout_s, config.path)


@source_of.register
def _by_url(config: UrlResolver, timeout_s: float) -> Source:
    name = f"url {config.url}"
    web = Web(name, config.url, timeout_s)
    belongs = System(config.system), config.prefix
    return UrlSource(name, web, config.path, belongs, config.record, config.echo)
