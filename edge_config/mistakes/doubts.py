"""What is allowed in a configuration and hardly meant: one warning of a kind, not hundreds."""

from collections.abc import Iterator, Sequence

from edge_config.mistakes.problems import Place, Problem


class Doubts:
    """Sentences about tags, by kind."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], dict[Place, str]] = {}

    def note(self, kind: str, key: str, place: Place, sentence: str) -> None:
        """A doubt about a tag; of one kind only its first counts.

        Args:
            kind: doubts of one kind become one warning.
            key: of the tag that is doubtful.
            place: of the tag.
            sentence: what is doubtful; empty: nothing.
        """
        if sentence:
            self._found.setdefault((kind, key), {}).setdefault(place, sentence)

    def warnings(self) -> Iterator[Problem]:
        """One for each kind: its first, and how many more there are."""
        for (_, key), found in self._found.items():
            (place, sentence), *others = found.items()
            more = [other((key,), "") for other, _ in others]
            yield place((key,), f"{sentence}{_more(place((key,), ''), more)}")


MOST_PLACES = 8
"""Of others of a kind that are named; the rest is counted."""


def _more(first: Problem, others: Sequence[Problem]) -> str:
    if not others:
        return ""
    count = len(others)
    places = list(dict.fromkeys(_where(one, first) for one in others if one.line))
    if not places:
        return f"; {count} more like it"
    rest = ", …" if len(places) > MOST_PLACES else ""
    listed = ", ".join(places[:MOST_PLACES]) + rest
    if first.table:
        return f"; {count} more like it, on row {listed}"
    return f"; {count} more like it, on line {listed}"


def _where(one: Problem, first: Problem) -> str:
    return str(one.line) if one.file == first.file else f"{one.file}:{one.line}"
