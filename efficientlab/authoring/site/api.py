"""Reference pages of `kernels` and `counters`: what they export, from its signature and docstring.

A docstring of the series is Markdown but for its sections (`Args:`, `Returns:`, …): indented blocks are formulas or
code, and stay as they are.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

ROOMS = {"kernels": "Kernels", "counters": "Counters"}
SECTION = re.compile(r"(Args|Returns|Raises|Shapes|Yields):$")


def pages() -> Iterator[tuple[str, str]]:
    """A page a room, one part a file of it, in the order of its imports."""
    for room, title in ROOMS.items():
        package = importlib.import_module(f"efficientlab.{room}")
        parts: dict[str, list[str]] = {}
        for name in package.__all__:
            parts.setdefault(getattr(package, name).__module__, []).append(name)
        text = [f"# {title}\n\n{markdown(package.__doc__ or '')}\n"]
        text += [
            _part(importlib.import_module(module), room, names) for module, names in sorted(parts.items())
        ]
        yield f"api/{room}.md", "\n".join(text)
    links = "\n".join(ROOMS)
    yield (
        "api/index.md",
        f"# API\n\nWhat labs and students import, with shapes, units, errors and the papers.\n\n{TOC}{links}\n```\n",
    )


TOC = "```{toctree}\n:maxdepth: 2\n\n"


def _part(module: ModuleType, room: str, names: list[str]) -> str:
    title, _, rest = (inspect.getdoc(module) or module.__name__).partition("\n")
    name, _, about = title.partition(": ")
    lines = [
        f"## {_plain(name.rstrip('.'))}\n",
        f"`{module.__name__}`: {about}\n" if about else "",
        markdown(rest),
    ]
    lines += [_entry(name, getattr(module, name), f"efficientlab.{room}") for name in names]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return text[:1].upper() + text[1:]


def _entry(name: str, thing: object, module: str) -> str:
    kind = "class" if inspect.isclass(thing) else "function" if callable(thing) else "data"
    body = [markdown(inspect.getdoc(thing) or "")]
    if inspect.isclass(thing):
        for method, function in vars(thing).items():
            if not method.startswith("_") and inspect.isfunction(function) and function.__doc__:
                body.append(
                    _directive(
                        "method", method, _signature(function), markdown(inspect.getdoc(function) or ""), 3
                    )
                )
    signature = _signature(thing) if kind != "data" else ""
    return _directive(kind, name, signature, "\n\n".join(body), 4, module)


def _signature(thing: object) -> str:
    try:
        text = str(inspect.signature(thing))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "()"
    # a named tuple's annotations
    return re.sub(r"ForwardRef\('([^']*)'[^)]*\)", r"\1", text).replace("'", "")


def _directive(kind: str, name: str, signature: str, body: str, colons: int, module: str = "") -> str:
    fence = ":" * colons
    options = f":module: {module}\n" if module else ""
    return f"{fence}{{py:{kind}}} {name}{signature}\n{options}\n{body}\n{fence}\n"


def markdown(doc: str) -> str:
    """A docstring as Markdown: its sections become lists, the lines of an entry one paragraph."""
    out: list[str] = []
    section = ""
    for line in inspect.cleandoc(doc).splitlines():
        if match := SECTION.match(line):
            section = match[1]
            out += ["", f"**{section}**", ""]
        elif section and line.startswith("    "):
            out.append(_of_section(line[4:], section))
        else:
            section = section if not line else ""
            out.append(line)
    return _doctests("\n".join(out))


def _of_section(line: str, section: str) -> str:
    if line.startswith(" "):
        return f"  {line.strip()}"
    name, colon, rest = line.partition(": ")
    if colon and re.fullmatch(r"[\w*, ]+", name):
        return f"- `{name}`: {rest}"
    return f"- {line}" if section in ("Returns", "Shapes", "Yields") and not line.startswith("- ") else line


def _doctests(text: str) -> str:
    """`>>>` examples as code: Markdown would take them for quotations."""
    out: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith(">>>") and not inside:
            out.append("```pycon")
            inside = True
        if inside and not line.strip():
            out.append("```")
            inside = False
        out.append(re.sub(r"\s*# doctest: \+SKIP$", "", line))
    return "\n".join([*out, *(["```"] if inside else [])])
