"""Style sheet, script and pictures, kept in memory and served under an address with their hash."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

STATIC = Path(__file__).parent / "static"
CACHE = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served; the digest stands in its address, so it may be kept for ever."""

    body: bytes
    media_type: str
    digest: str


class Assets:
    """The files of the consoles by name."""

    def __init__(self) -> None:
        self._files: dict[str, Asset] = {}
        # Pictures first: the style sheet names them by addresses that contain their digests.
        for path in sorted(STATIC.iterdir(), key=lambda path: path.suffix != ".svg"):
            body = path.read_bytes()
            self._add(path, self._linked(body) if path.suffix == ".css" else body)

    def _add(self, path: Path, body: bytes) -> None:
        digest = blake2b(body, digest_size=6).hexdigest()
        self._files[path.name] = Asset(body, _TYPES[path.suffix], digest)

    def _linked(self, style: bytes) -> bytes:
        """A style sheet names pictures by file; give it their addresses."""
        for name in self._files:
            style = style.replace(f'url("{name}")'.encode(), f'url("{self.url(name)}")'.encode())
        return style

    def url(self, name: str) -> str:
        """Address of a file; changes whenever its contents do.

        Raises:
            KeyError: there is no such file.
        """
        return f"/static/{self._files[name].digest}/{name}"

    def route(self) -> Route:
        """The route that serves them."""
        return Route("/static/{digest}/{name}", self._serve)

    async def _serve(self, request: Request) -> Response:
        asset = self._files.get(request.path_params["name"])
        if asset is None or asset.digest != request.path_params["digest"]:
            return PlainTextResponse("no such file\n", 404)
        return Response(asset.body, media_type=asset.media_type, headers={"cache-control": CACHE})
