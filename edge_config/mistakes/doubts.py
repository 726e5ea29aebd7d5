"""What is allowed in a configuration and hardly meant: one warning of a kind, not hundreds."""

from collections.abc import Iterator

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
            place, sentence = next(iter(found.items()))
            more = f"; {len(found) - 1} more like it" if len(found) > 1 else ""
            yield place((key,), f"{sentence}{more}")
