"""A scope as a condition of queries: the one place that says whose rows somebody sees."""

from sqlalchemy import ColumnElement, select, true

from gateway.city.access.principal import Scope, ScopeKind
from gateway.city.db.tables import enterprise

_COLUMNS = {
    ScopeKind.COUNTIES: enterprise.c.county,
    ScopeKind.AREAS: enterprise.c.functional_area,
    ScopeKind.ENTERPRISES: enterprise.c.uscc,
}


def seen(scope: Scope) -> ColumnElement[bool]:
    """Whether a row of ``enterprise`` is seen, for a query that reads or joins that table."""
    return true() if scope.is_whole else _COLUMNS[scope.kind].in_(sorted(scope.keys))


def owned(uscc: ColumnElement[str], scope: Scope) -> ColumnElement[bool]:
    """Whether a row that names an enterprise is seen, for a query without ``enterprise``.

    Args:
        uscc: the column that names it.
        scope: of who asks.
    """
    if scope.is_whole:
        return true()
    if scope.kind is ScopeKind.ENTERPRISES:
        return uscc.in_(sorted(scope.keys))
    return uscc.in_(select(enterprise.c.uscc).where(seen(scope)))
