"""Templates: read by whoever is logged in, made and added to by the enterprise of the prefix."""

from typing import Any

from sqlalchemy import Connection

from gateway.identifier.node import rules
from gateway.identifier.node.keeping import audit, templates
from gateway.identifier.node.keeping.audit import Action
from gateway.identifier.node.rights.principal import Visit
from gateway.identifier.node.rights.registrations import begin_changes, denied
from gateway.identifier.registering.registry import Outcome, Result

Json = dict[str, Any]


def read(connection: Connection, prefix: str, version: str) -> Json | None:
    """A template's body, as of the SNMS interface; None: there is none."""
    return templates.find(connection, prefix, version)


def create(connection: Connection, visit: Visit, body: Any) -> Result:
    """Make a template.

    Args:
        connection: of the node's database.
        visit: who asks.
        body: as of the SNMS interface; items may have ``visibility``: everybody, member (who is
            logged in) or enterprise.

    Returns:
        OK, EXISTS, INVALID, or DENIED: the prefix is not the principal's.
    """
    begin_changes(connection)
    refusal = _refusal(visit, body)
    if refusal is not None:
        return refusal
    if templates.find(connection, body["prefix"], body["version"]) is not None:
        return _result(body, Outcome.EXISTS, rules.TEMPLATE_EXISTS)
    return _put(connection, visit, body)


def update(connection: Connection, visit: Visit, body: Any) -> Result:
    """Add items to a template, or change them; those that are not sent stay.

    Returns:
        OK, NOT_FOUND, INVALID, or DENIED as of :func:`create`.
    """
    begin_changes(connection)
    refusal = _refusal(visit, body)
    if refusal is not None:
        return refusal
    held = templates.find(connection, body["prefix"], body["version"])
    if held is None:
        return _result(body, Outcome.NOT_FOUND, rules.NO_TEMPLATE)
    changed = {**held, "items": rules.merged_items(held["items"], body["items"])}
    problem = rules.template_problem(changed)
    if problem is not None:
        return _result(body, Outcome.INVALID, problem)
    return _put(connection, visit, changed)


def _refusal(visit: Visit, body: Any) -> Result | None:
    problem = rules.template_problem(body)
    if problem is not None:
        return Result("", Outcome.INVALID, problem)
    denial = denied(visit, body["prefix"])
    return None if denial is None else _result(body, Outcome.DENIED, denial)


def _put(connection: Connection, visit: Visit, body: Json) -> Result:
    templates.put(connection, body, visit.terms.visibility)
    name = f"{body['prefix']}/{body['version']}"
    audit.note(connection, visit.now_ms, visit.principal.user, Action.TEMPLATE, name)
    return _result(body, Outcome.OK, rules.SUCCESS)


def _result(body: Json, outcome: Outcome, message: str) -> Result:
    return Result(f"{body['prefix']}/{body['version']}", outcome, message)
