"""Where mails for a user go. Functions of a connection."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from edge_config.models.people.alerts import MAIL_ADDRESS, MailConfig
from gateway.city.access import users
from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Principal
from gateway.city.db.schema.alerting.messages import alert_contact
from gateway.relational.database import alone
from gateway.web.i18n import LANGUAGES, Language


class ContactError(ValueError):
    """An address is refused: a key of the catalogue's table ``watch.contact_refusal``."""


@dataclass(frozen=True, slots=True)
class Contact:
    """An address, and in which language its owner reads."""

    address: str
    language: Language


def of(connection: Connection, name: str) -> Contact | None:
    """Where mails for a user go; None: nowhere."""
    columns = alert_contact.c
    row = connection.execute(select(alert_contact).where(columns.user_name == name)).first()
    return None if row is None else Contact(row.address, row.language)


def keep(
    connection: Connection,
    by: Principal,
    config: MailConfig,
    contact: Contact,
    now_ms: int,
) -> None:
    """Send mails for a user to an address from now on; an empty one: nowhere.

    Raises:
        ContactError: no address, one of a domain that is not allowed, or no user.
    """
    if users.find(connection, by.name) is None:
        raise ContactError("nobody")
    demand_allowed(config, contact.address)
    alone(connection, "contact")
    own = alert_contact.c.user_name == by.name
    row = {"address": contact.address, "language": contact.language, "set_ms": now_ms}
    if not contact.address:
        connection.execute(delete(alert_contact).where(own))
    elif not connection.execute(update(alert_contact).where(own).values(**row)).rowcount:
        connection.execute(insert(alert_contact).values(user_name=by.name, **row))
    note(connection, now_ms, by.name, Action.CONTACT, by.name, contact.address)


def demand_allowed(config: MailConfig, address: str) -> None:
    """Refuse an address that alerts must not go to.

    Raises:
        ContactError: says why.
    """
    if not address:
        return
    found = MAIL_ADDRESS.fullmatch(address)
    if found is None:
        raise ContactError("address")
    if found["domain"].lower() not in config.domains:
        raise ContactError("domain")


def language_of(written: str) -> Language:
    """The language that a form names; Chinese where it names none."""
    return next((one for one in LANGUAGES if one == written), "zh")
