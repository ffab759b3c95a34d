"""The pages that people read: jinja2 templates, self-contained, with everything escaped that a student may write."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **values: Any) -> str:
    """Fill one of the templates beside this file. In `.html` all values are escaped."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("efficientlab.grading.reporting", "pages"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = _plain
    return environment


def _plain(text: str) -> str:
    """Text for Markdown: what a student wrote must not become markup, nor a link, nor a picture."""
    shown = "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+!|~&$" else c for c in str(text))
    return " ".join(shown.split())
