"""What a configuration is for: an edge in a factory, a city, a node of identifiers."""

from pathlib import Path

from edge_config.files.document import Document
from edge_config.files.yaml_file import read_document
from edge_config.mistakes.problems import ConfigError, hint

SITES = {
    "gateway": "an edge; 'qulink run' runs it",
    "city": "a city; 'qulink city' runs it",
    "prefix": "a node of identifiers; 'qulink node' runs it",
}
"""Key at the top of a configuration → what the file is for."""


def site_of(path: Path) -> str:
    """A key of :data:`SITES`: what a configuration file is for, by its top-level keys.

    Raises:
        ConfigError: unreadable, or none.
    """
    document = read_document(path)
    found = _sites(document)
    if len(found) == 1:
        return found[0]
    message = _neither(document)
    if found:
        one, other = found[:2]
        message = f"has both '{one}:' and '{other}:' at the top; keep them in two files"
    raise ConfigError([*document.problems, document.problem((), message)])


def _neither(document: Document) -> str:
    keys = document.data.keys() if isinstance(document.data, dict) else set()
    if {"driver", "groups"} <= keys:
        return "is a profile; check the file of the gateway that names it in 'profile_files'"
    near = next(filter(None, (hint(key, SITES) for key in keys)), "")
    return f"needs 'gateway:' at the top (an edge), 'city:' (a city) or 'prefix:' (a node){near}"


def _sites(document: Document) -> list[str]:
    keys = document.data if isinstance(document.data, dict) else {}
    return [site for site in SITES if site in keys]


def demand_site(document: Document, site: str) -> None:
    """Refuse a file that is clearly for the other side, instead of every key of it.

    Raises:
        ConfigError: it is.
    """
    found = _sites(document)
    if found and site not in found:
        other = found[0]
        problem = document.problem((other,), f"this file is for {SITES[other]}")
        raise ConfigError([*document.problems, problem])
