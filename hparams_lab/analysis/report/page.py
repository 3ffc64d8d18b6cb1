"""A report as one HTML page that opens anywhere: no request ever leaves it.

The template escapes whatever it is given, as names and values are the user's. Should that
ever fail, the page's own policy still keeps browsers from running or loading anything that
is not in it by our hand.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from hparams_lab.analysis.report.report import Report

_TEMPLATE: Final = "report.html.jinja"


def format_page(report: Report) -> str:
    """Return the page, complete with pictures, styles and script."""
    import jinja2

    loader = jinja2.PackageLoader("hparams_lab.analysis.report", "templates")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Files of ours, which stand in the page as they are.
    style, script = (
        loader.get_source(environment, name)[0] for name in ("report.css", "report.js")
    )
    return environment.get_template(_TEMPLATE).render(
        report=report,
        pictures=[(each, _encode_uri(each.svg)) for each in report.pictures],
        style=style,
        script=script,
        policy=_state_policy(style, script),
    )


def _encode_uri(svg: bytes) -> str:
    """Return a picture as an address that holds it: in `<img>` an SVG runs and loads nothing."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def _state_policy(style: str, script: str) -> str:
    """Return a Content-Security-Policy that allows what is in the page, and nothing else."""
    return (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
