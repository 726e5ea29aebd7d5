"""The registry of gateways: who may send, for which enterprise and site."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, delete, insert, select, true, update

from edge_config.models import uscc as codes
from edge_config.models.ledger_number import MAX_SITE_NO, held, key_of
from gateway.city.db.operation import begin
from gateway.city.db.tables import enterprise, gap, gateway, tag_schema
from gateway.city.erasing.standing import is_erased
from gateway.core.days import day_of
from gateway.wire.topics import PARTITIONS, is_gateway_id, partition_of

RESERVED_IDS = frozenset({"city", "console", "admin", "root"})
"""Names that brokers and the shipped rules take for somebody else."""


class EnrolmentError(Exception):
    """An enrolment that cannot be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One row of the registry; times are UTC milliseconds."""

    id: str
    uscc: str
    enterprise: str
    site_no: str
    enrolled_ms: int
    revoked_ms: int | None
    last_seen_ms: int | None


def is_reserved(gateway_id: str, city_user: str = "city") -> bool:
    """Whether a gateway of this name would be taken for the city, or for a person.

    Args:
        gateway_id: the name.
        city_user: the city's own user at the broker.
    """
    return gateway_id in {*RESERVED_IDS, city_user} or gateway_id.startswith("city-")


def add(
    connection: Connection,
    gateway_id: str,
    uscc: str,
    site_no: str,
    now_ms: int,
    city_user: str = "city",
) -> bool:
    """Enrol a gateway, or renew it after a revocation.

    With the first one the city begins, unless its configuration names another day. Of a renewed
    one schemas are learnt anew, and silence counts from when it is heard again.

    Args:
        connection: of the city's database.
        gateway_id: 1–63 of ``a-z 0-9 -``; it is the gateway's MQTT user, too.
        uscc: unified social credit code of an enterprise of the ledger.
        site_no: site of that enterprise.
        now_ms: UTC milliseconds.
        city_user: the city's own user at the broker, which no gateway may have.

    Returns:
        False if it was enrolled already for the same enterprise and site.

    Raises:
        EnrolmentError: malformed, unknown enterprise, or enrolled for somebody else.
    """
    if is_reserved(gateway_id, city_user):
        raise EnrolmentError(
            f"{gateway_id!r} is reserved: the broker would take the gateway for the city or its "
            "staff – choose another id"
        )
    site_no = _checked_site(site_no)
    _check(connection, gateway_id, uscc)
    known = connection.execute(select(gateway).where(gateway.c.id == gateway_id)).one_or_none()
    if known is None:
        row = {"id": gateway_id, "uscc": uscc, "site_no": site_no, "enrolled_ms": now_ms}
        connection.execute(insert(gateway).values(row | {"partition": partition_of(gateway_id)}))
        begin(connection, day_of(now_ms))
        return True
    _check_owner(known, uscc, site_no)
    if known.revoked_ms is None:
        return False
    _check_not_erased(connection, gateway_id)
    _renew(connection, gateway_id, now_ms)
    return True


def _check_owner(known: Row[Any], uscc: str, site_no: str) -> None:
    if known.uscc != uscc or key_of(known.site_no) != key_of(site_no):
        raise EnrolmentError(
            f"gateway {known.id} is enrolled for enterprise {known.uscc}, site {known.site_no}; "
            "its data belongs there – choose another id"
        )


def _check_not_erased(connection: Connection, gateway_id: str) -> None:
    if is_erased(connection, gateway_id):
        raise EnrolmentError(
            f"gateway {gateway_id} was revoked when the data of its enterprise were erased; its "
            "buffer may still hold some – clear it, and choose another id"
        )


def _renew(connection: Connection, gateway_id: str, now_ms: int) -> None:
    # A gateway that announced too many schemas begins anew with its enrolment.
    connection.execute(delete(tag_schema).where(tag_schema.c.gateway == gateway_id))
    renewed = {"revoked_ms": None, "enrolled_ms": now_ms, "last_seen_ms": None, "state": None}
    connection.execute(update(gateway).where(gateway.c.id == gateway_id).values(renewed))


def _checked_site(site_no: str) -> str:
    try:
        return held(site_no, MAX_SITE_NO)
    except ValueError as error:
        raise EnrolmentError(f"site {error}") from None


def _check(connection: Connection, gateway_id: str, uscc: str) -> None:
    if not is_gateway_id(gateway_id):
        raise EnrolmentError(
            f"{gateway_id!r} is no gateway id: 1 to 63 of a-z, 0-9 and '-', not beginning with '-'"
        )
    wrong = codes.problem(uscc)
    if wrong:
        raise EnrolmentError(f"enterprise {uscc!r} {wrong}")
    found = connection.execute(select(enterprise.c.uscc).where(enterprise.c.uscc == uscc))
    if found.one_or_none() is None:
        raise EnrolmentError(
            f"enterprise {uscc} is not in the ledger; import it with 'qulink ledger import'"
        )


def revoke(connection: Connection, gateway_id: str, now_ms: int) -> None:
    """Take a gateway's right to send; what it has sent stays, and its open gaps end.

    Raises:
        EnrolmentError: it is not enrolled.
    """
    done = connection.execute(
        update(gateway)
        .where(gateway.c.id == gateway_id, gateway.c.revoked_ms.is_(None))
        .values(revoked_ms=now_ms)
    )
    if not done.rowcount:
        raise EnrolmentError(f"gateway {gateway_id!r} is not enrolled")
    end_ms = case((gap.c.from_ms > now_ms, gap.c.from_ms), else_=now_ms)
    is_open = (gap.c.gateway == gateway_id) & gap.c.to_ms.is_(None)
    connection.execute(update(gap).where(is_open).values(to_ms=end_ms))


def of_partitions(partitions: Collection[int]) -> ColumnElement[bool]:
    """The condition that a row of the registry is of some partitions."""
    return gateway.c.partition.in_(partitions) if len(partitions) < PARTITIONS else true()


def listed(connection: Connection) -> Sequence[Enrolled]:
    """All gateways, revoked ones too, in order of their ids."""
    query = (
        select(
            gateway.c.id,
            gateway.c.uscc,
            enterprise.c.name,
            gateway.c.site_no,
            gateway.c.enrolled_ms,
            gateway.c.revoked_ms,
            gateway.c.last_seen_ms,
        )
        .join(enterprise, enterprise.c.uscc == gateway.c.uscc)
        .order_by(gateway.c.id)
    )
    return [Enrolled(*row) for row in connection.execute(query)]
