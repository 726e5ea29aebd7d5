"""Empty files to fill that a page gives out: the ledger's, and one of each sort of papers."""

from gateway.city.ledger.papers.sorts import SORTS
from gateway.city.ledger.sheet.template import TEMPLATES, one_table, template_of
from gateway.web.i18n import Language

_PAPERS = {f"{name}.xlsx": sort for name, sort in SORTS.items()}
FILES = (*TEMPLATES, *_PAPERS)
"""Their names."""


def file_of(name: str, language: Language) -> bytes:
    """One of :data:`FILES`."""
    sort = _PAPERS.get(name)
    return one_table(sort.sheet, sort.columns, language) if sort else template_of(name, language)
