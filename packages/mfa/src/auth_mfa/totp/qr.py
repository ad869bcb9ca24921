"""QR codes, made here: the address in one is a secret, and goes to no service that draws."""

import io

import segno


def svg_of(text: str) -> str:
    """Return *text* as a QR code in SVG, without a style or script that a strict policy would refuse."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", scale=5, border=4, light="#fff", xmldecl=False, svgclass=None, lineclass=None
    )
    return out.getvalue().decode()
