"""The kit's rules of links: each must catch a link that breaks it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.drivers.kit.conformance import LinkBench, LinkConformance
from gateway.drivers.modbus import SPEC
from gateway.drivers.spec import LinkSpec
from tests.drivers import broken_links as broken
from tests.drivers.modbus.link_bench import link_bench

RULES: list[tuple[str, type[broken.Sound]]] = [
    ("test_d20_silence_is_no_loss", broken.SilenceIsALoss),
    ("test_d23_each_device_has_its_own_values", broken.MixesUnits),
    ("test_d24_no_more_at_once_than_turns", broken.OneConnectionEach),
    ("test_d24_no_more_at_once_than_turns", broken.HasNoTurns),
    ("test_d25_a_silent_device_costs_its_own_time_only", broken.SilenceEndsAll),
    ("test_d25_who_waited_has_his_whole_time", broken.CountsTheWait),
    ("test_d25_a_reading_that_is_cut_off_spoils_no_other", broken.TakesAnyAnswer),
    ("test_d26_who_leaves_takes_nothing_from_the_others", broken.FirstOneClosesAll),
    ("test_d26_a_link_that_nobody_uses_holds_nothing", broken.NeverCloses),
    ("test_d26_a_link_that_nobody_uses_holds_nothing", broken.LeavesATask),
    ("test_d27_all_are_read_again_after_the_link_was_lost", broken.ConnectsOnce),
    ("test_d28_changed_settings_are_followed", broken.CannotBeChanged),
    ("test_d28_changed_settings_are_followed", broken.ForgetsItsUnits),
    ("test_d29_a_late_answer_is_never_another_devices", broken.TakesAnyAnswer),
]
KIT = LinkConformance()
BROKEN = (Exception, pytest.fail.Exception)


@pytest.fixture
async def links() -> AsyncIterator[LinkBench]:
    async with link_bench(is_rtu=False) as bench:
        yield replace(bench, deadline_s=2)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            if task.get_coro().__qualname__ == "sleep":  # type: ignore[union-attr]
                task.cancel()


def made(bench: LinkBench, **link: Any) -> LinkBench:
    """The bench with other links."""
    assert isinstance(SPEC.link, LinkSpec)
    return replace(bench, spec=replace(SPEC, link=replace(SPEC.link, **link)))


@pytest.mark.parametrize(("rule", "link"), RULES, ids=lambda part: getattr(part, "__name__", ""))
async def test_a_broken_rule_is_caught(
    links: LinkBench, rule: str, link: type[broken.Sound]
) -> None:
    await getattr(KIT, rule)(made(links, make=broken.Sound))
    await links.start()
    with pytest.raises(BROKEN):
        await getattr(KIT, rule)(made(links, make=link))


@pytest.mark.parametrize(
    "key",
    [
        lambda _: object(),
        lambda connection: [connection.host],
        lambda connection: connection.unit,
        lambda connection: connection.host,
    ],
    ids=["new each time", "not hashable", "tells units apart", "the same for all"],
)
async def test_a_key_that_does_not_say_who_shares_is_caught(links: LinkBench, key: Any) -> None:
    KIT.test_d22_the_key_says_who_shares(links)
    with pytest.raises((AssertionError, TypeError)):
        KIT.test_d22_the_key_says_who_shares(made(links, key=key))


async def test_a_link_that_connects_when_it_is_made_is_caught(
    links: LinkBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    KIT.test_d22_making_a_link_does_no_io(links, monkeypatch)
    with pytest.raises(pytest.fail.Exception, match="D-22"):
        KIT.test_d22_making_a_link_does_no_io(
            made(links, make=broken.ConnectsWhenMade), monkeypatch
        )


EXACT: list[tuple[str, type[broken.Sound]]] = [
    ("", broken.Sound),
    ("D-20", broken.SilenceIsALoss),
    ("D-23", broken.MixesAfterARepeat),
    ("D-24", broken.OneConnectionEach),
    ("D-25", broken.SilenceEndsAll),
    ("D-26", broken.NeverCloses),
    ("D-27", broken.PlansForOneConnection),
    ("D-28", broken.CannotBeChanged),
    ("D-29", broken.GivesWhatIsLateToWhoWaits),
]
"""Links that break one rule and keep all others; D-22 has tests of its own above."""
NAMES = [name for name in dir(LinkConformance) if name.startswith("test_d") and "d22" not in name]


@pytest.mark.parametrize(("rule", "link"), EXACT, ids=lambda part: getattr(part, "__name__", part))
async def test_a_broken_link_fails_exactly_its_rule(rule: str, link: type[broken.Sound]) -> None:
    found: dict[str, str] = {}
    for name in NAMES:
        async with link_bench(is_rtu=False) as bench:
            try:
                await getattr(KIT, name)(made(replace(bench, deadline_s=2), make=link))
            except BROKEN as error:
                found[f"D-{name[6:8]}"] = f"{name}: {error!r}"
    assert found.keys() == ({rule} if rule else set()), found


def test_d27_allows_units_to_be_told_of_the_failed_attempt_of_another() -> None:
    """Under plain asyncio a Modbus unit meets what another one was told just before."""

    async def run() -> None:
        async with link_bench(is_rtu=False) as bench:
            await KIT.test_d27_all_are_read_again_after_the_link_was_lost(bench)

    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(run())


def test_every_rule_of_links_has_a_link_that_breaks_it() -> None:
    assert {f"D-{name[6:8]}" for name in NAMES} == {rule for rule, _ in EXACT if rule}
