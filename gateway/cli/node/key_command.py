"""``qulink node key …``: by which keys users prove themselves over the native protocol."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.city.opening import fail
from gateway.cli.node.opening import DEFAULT, NodeFile, act, ask, demand_done, load

_SET_EXAMPLE = "Example: `qulink node key set 300:88.999.QZ01/ADMIN --user qz01 --public qz01.pem`"
_DROP_EXAMPLE = "Example: `qulink node key drop 300:88.999.QZ01/ADMIN`"
_SECKEY_HELP = "File with a secret key (HS_SECKEY), one line: `openssl rand -base64 32`."
Place = Annotated[str, typer.Argument(help="index:handle, as 300:88.999.QZ01/ADMIN.")]


def register(node: typer.Typer) -> None:
    """Add the commands."""
    key = typer.Typer(no_args_is_help=True, help="Let users change identifiers natively.")
    key.command("set", epilog=_SET_EXAMPLE)(_set)
    key.command("list", epilog="Example: `qulink node key list -c node.yaml`")(_list)
    key.command("drop", epilog=_DROP_EXAMPLE)(_drop)
    node.add_typer(key, name="key")


def _set(
    place: Place,
    user: Annotated[str, typer.Option(help="Whom the key proves.")],
    secret: Annotated[Path | None, typer.Option(help=_SECKEY_HELP)] = None,
    public: Annotated[
        Path | None, typer.Option(help="PEM file with an RSA public key (HS_PUBKEY).")
    ] = None,
    config: NodeFile = DEFAULT,
) -> None:
    """Let whoever has a key act natively as a user; another key of this place ends."""
    from gateway.identifier.node.keeping.secrets import Seal, SealError
    from gateway.identifier.node.keeping.users import AdminKey
    from gateway.identifier.node.rights import accounts

    if (secret is None) == (public is None):
        fail("name either a file with --secret or one with --public")
    key = (
        AdminKey(user, "HS_SECKEY", _read(secret).strip())
        if secret is not None
        else AdminKey(user, "HS_PUBKEY", _public(public or Path()))
    )
    try:
        seal = Seal(load(config).data_dir)
    except SealError as error:
        fail(str(error))
    demand_done(act(config, accounts.set_key, seal, _placed(place), key), f"{key.type} set at")


def _list(config: NodeFile = DEFAULT) -> None:
    """List keys: index:handle, kind, user."""
    from gateway.identifier.node.keeping import users

    for handle, index, kind, user in ask(load(config), users.admin_keys):
        typer.echo(f"{index}:{handle}\t{kind}\t{user}")


def _drop(place: Place, config: NodeFile = DEFAULT) -> None:
    """Let a key prove nobody any more."""
    from gateway.identifier.node.rights import accounts

    demand_done(act(config, accounts.drop_key, _placed(place)), "dropped the key at")


def _placed(text: str) -> tuple[str, int]:
    """Handle and index of a text that has them the other way round."""
    index, colon, handle = text.partition(":")
    if not colon or not index.isdecimal() or "/" not in handle or len(index) > 9:  # noqa: PLR2004 - digits
        fail(f"{text} is no key's place; it has the form 300:88.999.QZ01/ADMIN")
    return handle, int(index)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"cannot read the key {file}: {error.strerror}")


def _public(file: Path) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    from gateway.identifier.irp.proofs import write_rsa_key

    try:
        found = load_pem_public_key(_read(file))
    except ValueError:
        found = None
    if not isinstance(found, RSAPublicKey):
        fail(f"{file} holds no RSA public key in PEM: `openssl rsa -in key.pem -pubout`")
    return write_rsa_key(found)
