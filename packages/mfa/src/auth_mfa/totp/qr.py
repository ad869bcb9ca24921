"""QR codes, drawn locally, because the URI in them is secret and must not reach another service."""

import io

import segno


def svg_of(text: str) -> str:
    """Return *text* as a QR code in SVG, without styles and scripts that a strict policy would refuse."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", scale=5, border=4, light="#fff", xmldecl=False, svgclass=None, lineclass=None
    )
    return out.getvalue().decode()
