"""The kit as a plug-in of pytest: ``qulink_kit``, found by its entry point.

It chooses rules by their ids and ends a run with what each test class has kept. The rules
themselves are classes to inherit; see ``conformance``.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

import pytest

_PACKAGE = "gateway.drivers.kit"
_NAME = re.compile(r"test_d(\d\d)_")
_PROPERTY = "qulink_rule"

for _module in (
    "bench",
    "conformance",
    "costs",
    "description",
    "link_bench",
    "links",
    "neighbours",
    "rules",
    "writing",
):
    pytest.register_assert_rewrite(f"{_PACKAGE}.{_module}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--qulink-rule``."""
    parser.getgroup("qulink", "conformance kit of drivers").addoption(
        "--qulink-rule",
        action="append",
        default=[],
        metavar="D-NN",
        help="run only tests of this rule of the driver contract; may be repeated",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note the rule of each test; leave out those of other rules than asked for, or exempt."""
    wanted = {rule.upper() for rule in config.getoption("--qulink-rule")}
    for item in items:
        if rule := rule_of(item):
            item.user_properties.append((_PROPERTY, rule))
    others = {item for item in items if _is_left_out(item, wanted)}
    if others:
        config.hook.pytest_deselected(items=list(others))
        items[:] = [item for item in items if item not in others]


def _is_left_out(item: pytest.Item, wanted: set[str]) -> bool:
    rule = rule_of(item)
    is_other = bool(wanted) and rule not in wanted
    return is_other or rule in getattr(getattr(item, "cls", None), "exempt", ())


def rule_of(item: pytest.Item) -> str | None:
    """The rule that a test of the kit is about; None of any other test."""
    match = _NAME.match(item.name)
    owner = getattr(item, "cls", None)
    is_ours = any(base.__module__.startswith(_PACKAGE) for base in getattr(owner, "__mro__", ()))
    return f"D-{match[1]}" if match and is_ours else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a test class."""
    for outcome, rules in _by_class(terminalreporter).items():
        terminalreporter.write_line(f"qulink kit: {outcome} {rules}")


def _by_class(reporter: pytest.TerminalReporter) -> dict[str, str]:
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in reporter.getreports(outcome):
            rules = [value for name, value in _properties(report) if name == _PROPERTY]
            owner = "::".join(report.nodeid.split("::")[:-1])
            for rule in rules:
                found[owner]["failed" if outcome == "error" else outcome].add(str(rule))
    return {owner: _words(rules) for owner, rules in found.items()}


def _properties(report: object) -> list[tuple[str, object]]:
    """Of a test; what could not even be collected has none."""
    return getattr(report, "user_properties", [])


def _words(rules: dict[str, set[str]]) -> str:
    broken, left_out = rules["failed"], rules["skipped"] - rules["failed"]
    kept = rules["passed"] - broken - left_out
    words = f"keeps {len(kept)} rules"
    words += f", breaks {_listed(broken)}" if broken else ""
    return words + (f", leaves out {_listed(left_out)}" if left_out else "")


def _listed(rules: Iterable[str]) -> str:
    return ", ".join(sorted(rules))
