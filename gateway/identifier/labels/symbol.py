"""The QR code of a text, as pages show it."""

import io

import segno
from markupsafe import Markup


def qr(label: str) -> Markup:
    """A QR code as SVG."""
    out = io.BytesIO()
    segno.make(label, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, border=0, omitsize=True, dark="#101a18"
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - drawn by segno: paths, no text
