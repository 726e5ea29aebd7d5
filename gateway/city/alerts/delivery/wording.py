"""What a message says: a mail in the language of its reader, and JSON for a program."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from edge_config.models.city import CityConfig
from gateway.city.alerts.delivery.queue import BEGIN
from gateway.city.alerts.saying import address_of, subject_name, why
from gateway.city.alerts.standing import Alert
from gateway.web.formats import moment
from gateway.web.i18n import Language, text

SHOWN = 20
"""Alerts that a mail describes; of more it says how many."""
VERSION = 1
_SUBJECT_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Told:
    """An alert, and what of it is told: its begin or its end."""

    event: str
    alert: Alert


def subject(config: CityConfig, language: Language, told: Sequence[Told]) -> str:
    """One line without control characters, whatever enterprises are called; of none: a test."""
    if not told:
        words = text(language, "alerts.mail.test")
    elif len(told) == 1:
        one = told[0]
        words = text(
            language,
            f"alerts.mail.one_{one.event}",
            kind=text(language, f"alerts.kind.{one.alert.kind}"),
            name=subject_name(language, one.alert),
        )
    else:
        begun = sum(one.event == BEGIN for one in told)
        words = text(language, "alerts.mail.many", begun=begun, over=len(told) - begun)
    return one_line(f"{_mark(config, language)}[{_city(config, language)}] {words}")


def one_line(words: str) -> str:
    """A text as one line of printable characters."""
    plain = "".join(one if one.isprintable() else " " for one in words)
    return " ".join(plain.split())[:_SUBJECT_LENGTH]


def body(config: CityConfig, language: Language, told: Sequence[Told]) -> str:
    """The text of a mail: how many of which kind, then the first of them in a sentence each."""
    lines = [_mark(config, language) + _city(config, language), ""]
    if not told:
        lines += [text(language, "alerts.mail.test_note"), ""]
    counts = Counter((one.event, one.alert.kind) for one in told)
    for (event, kind), number in counts.items():
        name = text(language, f"alerts.kind.{kind}")
        lines.append(text(language, f"alerts.mail.count_{event}", kind=name, count=number))
    lines.append("")
    for one in told[:SHOWN]:
        lines += _entry(language, one)
    if len(told) > SHOWN:
        lines += [text(language, "alerts.mail.more", count=len(told) - SHOWN), ""]
    if config.alerts.console_url:
        lines.append(text(language, "alerts.mail.where", url=f"{_base(config)}/alerts"))
    lines.append(text(language, "alerts.mail.leave"))
    return "\n".join(lines) + "\n"


def _entry(language: Language, told: Told) -> list[str]:
    one = told.alert
    head = f"· {text(language, f'alerts.kind.{one.kind}')} {subject_name(language, one)}"
    lines = [" ".join(head.split()), "  " + why(language, one)]
    if one.ended_ms is not None:
        lines.append("  " + text(language, "alerts.mail.over", time=moment(one.ended_ms)[:16]))
    return [*lines, ""]


def _city(config: CityConfig, language: Language) -> str:
    return config.city.name_zh if language == "zh" else config.city.name_en


def _mark(config: CityConfig, language: Language) -> str:
    return f"【{text(language, 'demo.word')}】" if config.demonstration else ""


def _base(config: CityConfig) -> str:
    return (config.alerts.console_url or "").rstrip("/")


def for_programs(config: CityConfig, key: str, told: Sequence[Told], now_ms: int) -> bytes:
    """The body of a webhook: JSON, as docs/alerts.md describes it."""
    document = {
        "version": VERSION,
        "id": key,
        "sent": _time(now_ms),
        "city": {
            "region": config.city.region,
            "name_zh": config.city.name_zh,
            "name_en": config.city.name_en,
        },
        "demonstration": config.demonstration,
        "events": [_event(config, one) for one in told],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _event(config: CityConfig, told: Told) -> dict[str, object]:
    one = told.alert
    names = {f"name_{language}": subject_name(language, one) for language in ("zh", "en")}
    reasons = {f"why_{language}": why(language, one) for language in ("zh", "en")}
    return {
        "event": told.event,
        "alert": one.id,
        "kind": one.kind.value,
        "level": one.subject.level.value,
        "subject": one.subject.key,
        "uscc": one.subject.uscc or None,
        **names,
        **reasons,
        "since": _time(one.since_ms),
        "began": _time(one.began_ms),
        "ended": None if one.ended_ms is None else _time(one.ended_ms),
        "page": f"{_base(config)}{address_of(one)}" if _base(config) else None,
    }


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
