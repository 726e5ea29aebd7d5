"""Where a gateway that runs on this box is reached, from its configuration and nothing else.

The rest of the file is not looked at: it may name thousands of tags, and whoever stops a device
may be about to change it.
"""

from pathlib import Path

from edge_config.files.paths import Folder, anchored
from edge_config.files.yaml_file import read_document
from edge_config.loading.site import demand_site
from edge_config.mistakes.explain import validate
from edge_config.mistakes.problems import ConfigError, under
from edge_config.models.gateway import BufferConfig


def load_local(path: Path) -> tuple[Path | None, BufferConfig]:
    """The control socket, if the file names one, and the buffer of an edge's configuration.

    Raises:
        ConfigError: the file cannot be read, is no edge's, or one of the two is wrong.
    """
    document = read_document(path)
    demand_site(document, "gateway")
    problems, data = document.problems, document.data if isinstance(document.data, dict) else {}
    at = under(document.problem, "buffer")
    buffer = validate(BufferConfig, data.get("buffer", {}), at, problems)
    named = data.get("control_socket")
    if not isinstance(named, str | None):
        problems.append(document.problem(("control_socket",), "must be a path"))
    if buffer is None or problems:
        raise ConfigError(problems)
    folder = Folder(path.parent.absolute(), path.parent)
    return folder.find(named)[0] if named else None, anchored(buffer, folder.path)
