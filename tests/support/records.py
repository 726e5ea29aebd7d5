"""Definitions for tests of a rule that has nothing to do with days of rest."""

from gateway.city.rates.definitions import builtin_definitions

_BUILT_IN = builtin_definitions()
EVERY_DAY = {
    **_BUILT_IN,
    **{name: _BUILT_IN[name].model_copy(update={"days": "all"}) for name in ("ENR-A", "ENR-D")},
}
"""The built-in ones, by which every day in service counts."""
