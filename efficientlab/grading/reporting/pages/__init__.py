"""The pages that people read: jinja2 templates, self-contained, with everything escaped that a student may write."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

MAX_CELLS = 20_000  # of the tables of one written answer


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
    environment.filters["with_code"] = _with_code
    environment.filters["markdown"] = _markdown
    return environment


def _with_code(text: str) -> Markup:
    """Escaped text in which what stands between backticks is code."""
    from markupsafe import Markup, escape

    parts = str(text).split("`")
    if len(parts) % 2 == 0:  # one is alone
        return escape(text)
    shown = [
        Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts)
    ]
    return Markup("").join(shown)


def _markdown(text: str) -> Markup:
    """A written answer as its author saw it; links and pictures stay text, HTML is escaped, headings are small.

    A table's short rows are filled up with cells: where they could become too many, tables stay text, too.
    """
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    reader = MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True})
    reader.disable(["link", "image", "autolink", "reference"])
    lines = str(text).splitlines()
    if len(lines) * max((line.count("|") + 1 for line in lines), default=0) > MAX_CELLS:
        reader.disable("table")
    tokens = reader.parse(str(text))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3"
    return Markup(reader.renderer.render(tokens, reader.options, {}))


def _plain(text: str) -> str:
    """Text for Markdown: what a student wrote must not become markup, nor a link, nor a picture."""
    shown = "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+!|~&$" else c for c in str(text))
    return " ".join(shown.split())
