"""Before anything runs: a fresh folder, ports, ledger, history, enrolments, configurations."""

import fcntl
import itertools
import random
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from edge_config.loading.load import load_city
from gateway.city.access.principal import administrator
from gateway.city.access.users import User
from gateway.city.access.users import add as add_user
from gateway.city.console.pages.people.guests import guest
from gateway.city.db.operation import begin
from gateway.city.db.upgrade import open_database
from gateway.city.ledger.importer import import_files
from gateway.city.registry.enrolment import add
from gateway.core.days import day_of
from gateway.demo.broker import write_rules
from gateway.demo.cast import SITE, Cast
from gateway.demo.files import (
    Ports,
    city_config,
    edge_config,
    write_ledger,
    write_secret,
    write_yaml,
)
from gateway.demo.history import Networked, first_day, seed_history
from gateway.demo.holidays import made_up_years
from gateway.demo.levels import CITY, SECONDARY, TOP, write_nodes
from gateway.demo.options import Options
from gateway.relational.database import Database

_MARK = "qulink-demo"
_CITY_USER = "city"
_PORTS = range(7_000, 12_000)


class NotPreparedError(Exception):
    """The demonstration cannot begin; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that the processes of a run are started with.

    Attributes:
        folder: the run's folder.
        ports: its ports.
        city: the city's configuration file.
        edges: configuration file by gateway id.
        nodes: configuration file of the identifier nodes above the city's, by level.
        broker: rules of the embedded broker; None with a broker of the user's.
        claim: held open; its lock keeps other demonstrations out of the folder.
    """

    folder: Path
    ports: Ports
    city: Path
    edges: Mapping[str, Path]
    nodes: Mapping[str, Path]
    broker: Path | None
    claim: IO[str]

    @property
    def buffers(self) -> dict[str, Path]:
        """The buffer file of every gateway."""
        return {gateway: self.folder / f"{gateway}.db" for gateway in self.edges}


def prepare(options: Options, cast: Cast, now_ms: int) -> Prepared:
    """Make the folder and everything in it.

    Args:
        options: of the demonstration.
        cast: who plays.
        now_ms: UTC milliseconds.

    Raises:
        NotPreparedError: the folder is not ours or in use, the console's port is in use, or the
            broker does not answer.
    """
    _check_port(options.port)
    if options.broker is not None:
        _check_broker(options.broker)
    folder = options.data
    claim = _claimed(folder)
    ports = _ports(options.port, cast, folder)
    embedded = options.broker is None
    written = city_config(options, ports, password=embedded)
    if (years := made_up_years(day_of(now_ms))) is not None:
        holidays = write_yaml(folder / "holidays.yaml", years)
        written["calendar"] = {"file": holidays.name}
    city = write_yaml(folder / "city.yaml", written)
    edges = {
        enterprise.gateway: write_yaml(
            folder / f"{enterprise.gateway}.yaml",
            edge_config(enterprise, options, ports, password=embedded),
        )
        for enterprise in cast.enterprises
        if enterprise.gateway
    }
    passwords = {user: secrets.token_urlsafe(24) for user in (_CITY_USER, *edges)}
    for user, password in passwords.items():
        write_secret(folder / f"{user}-password", password)
    rules = write_rules(folder, ports.broker, _CITY_USER, passwords) if embedded else None
    with opened(city) as database:
        _fill(database, cast, folder, now_ms)
    nodes = write_nodes(folder, cast, ports, now_ms)
    return Prepared(folder, ports, city, edges, nodes, rules, claim)


@contextmanager
def opened(city: Path) -> Iterator[Database]:
    """The relational database of a city's configuration."""
    database = open_database(load_city(city))
    try:
        yield database
    finally:
        database.close()


def _check_port(port: int) -> None:
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise NotPreparedError(
                f"port {port} on 127.0.0.1 is in use ({error.strerror}); "
                f"stop what uses it, or choose another with --port"
            ) from error


def _check_broker(url: str) -> None:
    where = urlsplit(url)
    if where.hostname is None:
        return  # the check of the configuration says what is wrong with it
    try:
        socket.create_connection((where.hostname, where.port or 1883), 5).close()
    except (OSError, ValueError) as error:
        raise NotPreparedError(
            f"no broker answers at {url} ({error}); start it (mosquitto -v), "
            "or leave --broker out for the embedded one"
        ) from error


def _claimed(folder: Path) -> IO[str]:
    """Make the folder ours and empty; the file returned is held open while it is in use."""
    mark = folder / _MARK
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise NotPreparedError(
            f"{folder} is not a folder of an earlier demonstration; choose another with --data"
        )
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    held = mark.open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise NotPreparedError(
            f"another demonstration runs in {folder}; stop it, or choose another with --data"
        ) from None
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry != mark:
            entry.unlink()
    (folder / "logs").mkdir()
    return held


def _ports(console: int, cast: Cast, folder: Path) -> Ports:
    gateways = [e.gateway for e in cast.enterprises if e.gateway]
    lines = [line.id for line in cast.lines]
    own = [asset_no for line in cast.lines for asset_no in line.controllers]
    free = iter(_free_ports(8 + len(gateways) + 2 * len(lines) + len(own)))
    broker, node, control = next(free), next(free), next(free)
    nodes = {level: next(free) for level in (TOP, SECONDARY)}
    native = {level: next(free) for level in (TOP, SECONDARY, CITY)}
    modbus = {line: next(free) for line in lines}
    opcua = {line: next(free) for line in lines}
    controllers = {asset_no: next(free) for asset_no in own}
    edges = {gateway: next(free) for gateway in gateways}
    serial = folder.absolute() / "line-meters"
    return Ports(
        console, broker, node, nodes, native, control, modbus, opcua, controllers, serial, edges
    )


def _free_ports(count: int) -> list[int]:
    """Ports that nobody uses now, of those that are given to no outgoing connection.

    Any of these could have one of the others by the time its process starts; even the look whether
    it listens by then, as a connection to a port nobody listens on may be one with itself.
    """
    some = random.sample(_PORTS, len(_PORTS))
    return list(itertools.islice(filter(_is_free, some), count))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _fill(database: Database, cast: Cast, folder: Path, now_ms: int) -> None:
    today = day_of(now_ms)
    database.run_now(import_files, write_ledger(cast, folder, today), now_ms)
    database.run_now(begin, first_day(today))  # before the first enrolment would say today
    for enterprise in cast.enterprises:
        if enterprise.gateway:
            database.run_now(add, enterprise.gateway, enterprise.uscc, SITE, now_ms)
    database.run_now(seed_history, _networked(cast), today)
    for role, scope in cast.people.items():
        user = User(guest(role), guest(role), role, scope, now_ms, _MARK, None, is_invited=True)
        database.run_now(add_user, administrator(_MARK), user)


def _networked(cast: Cast) -> dict[tuple[str, str], Networked]:
    return {
        (enterprise.uscc, machine.asset_no): Networked(
            enterprise.gateway or "", machine.live["source"]
        )
        for enterprise in cast.enterprises
        for machine in enterprise.machines
        if machine.live is not None
    }
