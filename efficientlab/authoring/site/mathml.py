"""Formulas as MathML, which browsers set by themselves: no script, no fonts, nothing to load, readable by ear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


LONG = 60  # characters of TeX in a line of text: what is longer may be wider than a phone, and scrolls

UNKNOWN = (
    (re.compile(r"\\[bB]igg?[lr]?(?![a-zA-Z])"), ""),  # MathML's brackets grow by themselves
    (re.compile(r"\\dots(?![a-z])"), r"\\ldots"),
)
"""TeX that docutils does not know, and what it does."""


def mathml(tex: str, block: bool = False) -> str:
    """
    >>> mathml("x")
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math>'
    """
    for pattern, replacement in UNKNOWN:
        tex = pattern.sub(replacement, tex)
    return str(latex2mathml.tex2mathml(tex.strip(), as_block=block))


def _visit(self: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    block = isinstance(node, nodes.math_block)
    try:
        text = mathml(node.astext(), block)
    except MathError as error:
        from sphinx.util import logging

        logging.getLogger(__name__).warning("no MathML for %r: %s", node.astext(), error, location=node)
        text = self.encode(node.astext())
    if block:
        text = f'<div class="math-block" tabindex="0">{text}</div>'
    elif len(node.astext()) > LONG:
        text = f'<span class="math-long" tabindex="0">{text}</span>'
    self.body.append(text)
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's entry point: the renderer `mathml`."""
    app.add_html_math_renderer("mathml", (_visit, None), (_visit, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
