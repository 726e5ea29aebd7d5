"""The server of the Handle System by its authors, in a process of its own.

It wants a folder with ``config.dct``, ``siteinfo.bin`` (an HS_SITE with its public key), its keys
as ``privkey.bin`` and ``pubkey.bin``, and the handle of its prefix, which holds the keys of
administrators and is put into its storage before it starts. It asks for those keys by way of a
resolver, which is told to ask the server itself. ``je`` is not needed without a queue of
transactions, nor a home folder.
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from gateway.identifier.irp.data import BOTH, TCP, UDP, Interface, Server, Site, write_site
from gateway.identifier.irp.octets import U32, blob, text
from gateway.identifier.irp.proofs import write_rsa_key
from tests.support.java import java
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import SOON_S

PUBLIC_KEY, SECRET_KEY = 300, 301
"""Indexes of the keys of its prefix's administrator."""
_LISTENER = (
    '{{ "num_threads" = "2" "bind_address" = "127.0.0.1" "bind_port" = "{port}"'
    ' "log_accesses" = "no" }}'
)
_CONFIG = """{{
"hdl_tcp_config" = {listener}
"hdl_udp_config" = {listener}
"server_type" = "server"
"interfaces" = ( "hdl_tcp" "hdl_udp" )
"auto_update_root_info" = "no"
"server_config" = {{
  "this_server_id" = "1"
  "is_primary" = "yes"
  "storage_type" = "JDB"
  "enable_txn_queue" = "no"
  "case_sensitive" = "no"
  "allow_list_hdls" = "yes"
  "allow_na_admins" = "yes"
  "server_admins" = ( "300:{admin}" )
}} }}
"""


@dataclass(frozen=True)
class HandleServer:
    """A running server.

    Attributes:
        admin: handle of its prefix, which holds the administrator's keys.
        site: where it answers, by TCP and UDP.
        port: the same of both.
    """

    admin: str
    site: Site
    port: int


@contextmanager
def handle_server(
    folder: Path, prefix: str, key: RSAPrivateKey, secret: str
) -> Iterator[HandleServer]:
    """A server that holds a prefix.

    Args:
        folder: empty; for what it keeps.
        prefix: as 88.100.
        key: of the server and of the prefix's administrator.
        secret: another key of his.
    """
    port, admin = free_port(), f"0.NA/{prefix}"
    ways = (Interface(BOTH, TCP, port), Interface(BOTH, UDP, port))
    site = Site((Server(1, "127.0.0.1", ways, write_rsa_key(key.public_key())),))
    _prepare(folder, site, key, _CONFIG.format(listener=_LISTENER.format(port=port), admin=admin))
    _load(
        folder,
        {
            "homedPrefixes": [admin, "0.NA/0.NA"],
            "handleRecords": {admin: _administered(admin, key, secret)},
        },
    )
    with (folder / "said").open("w") as said:
        command = [*java("server", f"-Dnet.handle.configDir={folder}"), "net.handle.server.Main"]
        process = subprocess.Popen([*command, str(folder)], stdout=said, stderr=said)
    try:
        wait_for_port(port)
        yield HandleServer(admin, site, port)
    finally:
        process.terminate()
        process.wait(SOON_S)


def _prepare(folder: Path, site: Site, key: RSAPrivateKey, config: str) -> None:
    (folder / "config.dct").write_text(config)
    (folder / "siteinfo.bin").write_bytes(write_site(site))
    (folder / "resolver_site").write_bytes(write_site(site))
    (folder / "pubkey.bin").write_bytes(write_rsa_key(key.public_key()))
    (folder / "privkey.bin").write_bytes(_private_key(key))


def _private_key(key: RSAPrivateKey) -> bytes:
    """As ``privkey.bin`` holds it, not encrypted."""
    numbers = key.private_numbers()
    parts = (numbers.public_numbers.n, numbers.d)
    written = b"".join(blob(one.to_bytes(one.bit_length() // 8 + 1, "big")) for one in parts)
    return U32.pack(1) + text("RSA_PRIV_KEY") + written


def _administered(handle: str, key: RSAPrivateKey, secret: str) -> dict[str, Any]:
    public = base64.b64encode(write_rsa_key(key.public_key())).decode()
    values: list[dict[str, Any]] = [
        {"index": PUBLIC_KEY, "type": "HS_PUBKEY", "data": {"format": "base64", "value": public}},
        {
            "index": SECRET_KEY,
            "type": "HS_SECKEY",
            "data": {"format": "string", "value": secret},
            "permissions": "1100",
        },
    ]
    for at, index in enumerate((PUBLIC_KEY, SECRET_KEY)):
        admin = {"handle": handle, "index": index, "permissions": "111111111111"}
        values.append(
            {"index": 100 + at, "type": "HS_ADMIN", "data": {"format": "admin", "value": admin}}
        )
    return {"handle": handle, "values": values}


def _load(folder: Path, records: dict[str, Any]) -> None:
    """Put records into the storage of a server that does not run."""
    (folder / "records.json").write_text(json.dumps(records))
    loader = "net.handle.apps.tools.LoadHandlesIntoStorageFromJson"
    source = ["-f", str(folder / "records.json"), "-h", str(folder)]
    done = subprocess.run(
        [*java("server"), loader, *source], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.count("Created: ") == len(records["handleRecords"]), (
        done.stdout + done.stderr
    )
