"""Months, quarters, moments and numbers that nobody can mean: each is one sentence."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.city.rates.comparing import spans
from gateway.city.rates.period import MonthError, first_day
from gateway.cli.main import build
from tests.support.city import city_file
from tests.support.city_db import sqlite_city

HUGE = "9" * 30


@pytest.mark.parametrize("month", ["0000-12", "0999-12", "9999-01", "9999-12", "２０２６-01"])
def test_a_month_has_one_before_and_one_behind(month: str) -> None:
    with pytest.raises(MonthError, match="is no month; write YYYY-MM, as 2026-03"):
        first_day(month)


def test_the_last_year_of_calendars_is_no_span() -> None:
    with pytest.raises(MonthError):
        spans.year("9999")
    with pytest.raises(MonthError):
        spans.quarter("9999-Q4")


def test_what_is_asked_is_answered_or_refused_in_a_sentence(tmp_path: Path) -> None:
    sqlite_city(tmp_path).close()
    file = str(city_file(tmp_path, "127.0.0.1:1"))
    too_large = "a number that was given is larger than the city's database holds any"
    for words, said in {
        ("rates", "--year", "9999"): "'9999-01' is no month; write YYYY-MM, as 2026-03",
        ("rates", "published", "--month", "2025-13"): "'2025-13' is no month; ",
        ("rates", "reproduce", "2025-Q4"): "'2025-Q4' is no month; ",
        ("rates", "reproduce", "2026-01", "--vintage", HUGE): too_large,
        ("ledger", "undo", HUGE): too_large,
        ("rates", "--as-known", "9998-01-01"): "9998-01-01 has yet to come; ",
    }.items():
        answer = CliRunner().invoke(build([words[0]]), [*words, "-c", file])
        assert (answer.exit_code, answer.output.startswith(said)) == (1, True), answer.output
