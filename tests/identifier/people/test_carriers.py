"""Carriers sign under the identifier that a node has confirmed, and under no other."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from starlette.types import ASGIApp, Receive, Scope, Send

from edge_config.models.base import Secret
from edge_config.models.identifiers.registries import SnmsNode
from edge_config.models.validation import validated
from gateway.core.days import day_of
from gateway.identifier.carriers.carrier import CarrierError, CarrierProvider
from gateway.identifier.carriers.signing import Report, report_of, verified
from gateway.identifier.carriers.software import Algorithm, SoftwareCarrier
from gateway.identifier.codes.handle import Handle
from gateway.identifier.registering.composing import registry_of
from gateway.identifier.registering.registry import Outcome
from gateway.identifier.template import EQUIPMENT_ITEMS
from tests.identifier.people.conftest import Place
from tests.identifier.people.test_import import FIRST, HELD, ledger
from tests.support.node import NOW_MS, served

HANDLE, OTHER = Handle.parse(HELD), Handle.parse("88.999.QZ00/PM.000002")


def certificate_of(carrier: CarrierProvider) -> x509.Certificate:
    return x509.load_der_x509_certificate(carrier.read_certificate())


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_report_is_its_carriers(tmp_path: Path, algorithm: Algorithm) -> None:
    SoftwareCarrier.create(tmp_path / "c", "SN-一号", algorithm).write_identifier(HANDLE)
    carrier = SoftwareCarrier(tmp_path / "c")  # as after a restart
    assert (carrier.read_serial(), carrier.read_identifier()) == ("SN-一号", HANDLE)
    report, signature = report_of(carrier, b"speed 2840\nparts 7")
    own = certificate_of(carrier)
    assert report.octets == HELD.encode() + b"\nspeed 2840\nparts 7"
    assert verified(report.octets, signature, own) == report
    other = SoftwareCarrier.create(tmp_path / "d", "SN-2", algorithm)
    for octets, by, certificate in (
        (Report(OTHER, report.data).octets, signature, own),  # another machine's data
        (report.octets + b"0", signature, own),
        (report.octets, signature[:-1], own),
        (report.octets, b"", own),
        (report.octets, signature, certificate_of(other)),
    ):
        with pytest.raises(CarrierError, match="do not belong together"):
            verified(octets, by, certificate)


def test_a_carrier_is_one_machines_for_ever(tmp_path: Path) -> None:
    carrier = SoftwareCarrier.create(tmp_path / "c", "SN-1")
    with pytest.raises(CarrierError, match="holds no identifier yet"):
        report_of(carrier, b"x")
    carrier.write_identifier(HANDLE)
    carrier.write_identifier(HANDLE)
    with pytest.raises(CarrierError, match=f"holds {HELD}, which belongs to one machine for ever"):
        carrier.write_identifier(OTHER)
    with pytest.raises(CarrierError, match="its key is never replaced"):
        SoftwareCarrier.create(tmp_path / "c", "SN-2")
    assert SoftwareCarrier(tmp_path / "c").read_identifier() == HANDLE
    assert (tmp_path / "c" / "key.pem").stat().st_mode & 0o077 == 0


def test_what_is_no_carrier_is_said(tmp_path: Path) -> None:
    SoftwareCarrier.create(tmp_path / "c", "SN-1")
    SoftwareCarrier.create(tmp_path / "d", "SN-2")
    (tmp_path / "d" / "key.pem").write_bytes((tmp_path / "c" / "key.pem").read_bytes())
    with pytest.raises(CarrierError, match="belong to different carriers"):
        SoftwareCarrier(tmp_path / "d")
    for file, said in (("key.pem", "cannot be used"), ("carrier.json", "cannot be used")):
        (tmp_path / "c" / file).write_bytes(b"[]")
        with pytest.raises(CarrierError, match=said):
            SoftwareCarrier(tmp_path / "c")
    with pytest.raises(CarrierError, match="holds no carrier"):
        SoftwareCarrier(tmp_path)
    for serial in ("", " ", "a\nb", "x" * 65):
        with pytest.raises(CarrierError, match="no serial number"):
            SoftwareCarrier.create(tmp_path / "e", serial)


def test_an_identifier_with_a_line_feed_bears_no_report() -> None:
    with pytest.raises(CarrierError, match="line feed"):
        Report(Handle("88.999.QZ00", "a\nb"), b"")
    for octets in (b"", b"no report", b"\xff/\xff\ndata", b"\n"):
        with pytest.raises(CarrierError, match="no report of a carrier"):
            Report.of_octets(octets)


def test_the_way_by_commands(place: Place, tmp_path: Path) -> None:
    place.database.run_now(ledger)
    folder, data, report = tmp_path / "carrier", tmp_path / "reading", tmp_path / "report"
    data.write_text('{"speed": 2840}')
    own = place.plain("carrier", "create", folder, "--serial", "SN-1", "--algorithm", "ecdsa")
    assert own.exit_code == 0, own.output
    write = ("carrier", "write", folder, "--enterprise", FIRST, "--asset")
    assert "no identifier that a node has confirmed" in place.qulink(*write, "A-1").stderr
    assert place.qulink(*write, "A-0").stdout == f"{HELD} written into {folder}\n"
    shown = json.loads(place.plain("carrier", "show", folder, "--json").stdout)
    assert (shown["serial"], shown["identifier"]) == ("SN-1", HELD)
    assert place.plain("carrier", "sign", folder, data, report).exit_code == 0
    verify = ("carrier", "verify", report, "--certificate", folder / "certificate.pem")
    assert place.plain(*verify).stdout == f"{report} is signed by this carrier under {HELD}\n"
    report.write_bytes(report.read_bytes().replace(b"2840", b"0"))
    changed = place.plain(*verify)
    assert (changed.exit_code, "do not belong together" in changed.stderr) == (1, True)
    missing = place.plain("carrier", "sign", folder, tmp_path / "none", report)
    assert (missing.exit_code, "No such file" in missing.stderr) == (1, True)


@pytest.mark.parametrize(("carriers", "kind"), [("active", 1), ("passive", 2)])
async def test_templates_say_whether_machines_carry_carriers(
    tmp_path: Path, carriers: str, kind: int
) -> None:
    bodies: list[bytes] = []

    def heard(app: ASGIApp) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        async def listening(scope: Scope, receive: Receive, send: Send) -> None:
            async def noted() -> object:
                message = await receive()
                if scope["method"] == "POST" and scope["path"].endswith("/template"):
                    bodies.append(message.get("body", b""))
                return message

            await app(scope, noted, send)  # type: ignore[arg-type]

        return listening

    async with served(tmp_path, heard) as node:
        secret = tmp_path / "secret"
        secret.write_text(node.credentials.secret)
        told = {"type": "snms", "url": node.url, "username": node.credentials.username}
        password = Secret(file=secret, env=None)
        config = validated(SnmsNode, told | {"password": password, "carriers": carriers})
        registry = registry_of(config, 10, lambda: day_of(NOW_MS))
        made = await registry.ensure_template("88.999.QZ00", "t-1", EQUIPMENT_ITEMS)
        await registry.close()
    assert (made.outcome, made.message) == (Outcome.OK, "")
    assert [json.loads(body)["type"] for body in bodies if body] == [kind]
