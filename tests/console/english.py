"""English that is left on a Chinese page."""

import re
from html.parser import HTMLParser

_RUN = re.compile(r"(?:[A-Za-z]['’A-Za-z-]*,? ){3,}[A-Za-z]['’A-Za-z-]*")
_VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "path", "rect", "polyline"})
_UNSEEN = frozenset({"script", "style", "code", "template", "title"})
_CODE = frozenset({"mono", "copy"})


class _Seen(HTMLParser):
    """Collects the text of a page that is not marked as code."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._open: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        classes = set((dict(attrs).get("class") or "").split())
        self._open.append(tag in _UNSEEN or bool(classes & _CODE))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._open):
            self.text.append(data)


def english(text: str) -> list[str]:
    """Runs of four or more Latin words."""
    return _RUN.findall(text)


def english_on(html: str) -> list[str]:
    """The same in what a person sees of a page, but for what is marked as code."""
    seen = _Seen()
    seen.feed(html)
    return [run for piece in seen.text for run in english(piece)]
