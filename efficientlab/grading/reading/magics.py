"""What only IPython understands in a cell's text: found, blanked so that line numbers stay, and reported.

It follows IPython's input transformer, without IPython and in one pass over the text: `%magic`, `!command`,
`?name`, `name?`, `x = !command`, `x = %magic`, `%%cell` magics, pasted prompts and an indented cell. A percent
sign inside a bracket, a string or a continued line is an operator or text, and stays.
"""

from __future__ import annotations

import re

RUNS_ITS_CELL = {
    *("%%time", "%%timeit", "%%capture", "%%prun", "%%debug", "%%memit", "%%mprun", "%%lprun", "%%snakeviz"),
    *("%%pyinstrument", "%%scalene", "%%heat", "%%wandb", "%%ipytest"),
}  # the text below them is plain Python

_TOKEN = re.compile(
    r"""\#[^\n]*                                         # a comment
    | (?P<triple>\"{3}|'{3})(?:[^\\]|\\.)*?(?:(?P=triple)|\\?\Z)
    | (?P<quote>["'])(?:(?!(?P=quote))[^\\\n]|\\.)*(?:(?P=quote)|(?=\n)|\\?\Z)
    | (?P<open>[(\[{]) | (?P<close>[)\]}])
    | \\\n                                               # the line goes on
    | (?P<end>\n)
    | (?P<assigned>(?<![=!<>:])=[ \t]*(?:!|%\s*[A-Za-z_])) # x = !command, x = %magic
    """,
    re.S | re.X,
)
_ESCAPE = re.compile(r"[ \t]*[%!?,;/]")  # no statement of Python starts with one of these
_TIMED = re.compile(r"([ \t]*)%time[ \t]+(?=[A-Za-z_(\[])")  # it runs its line in the notebook's namespace
_REST = re.compile(r"(?:[^\\\n]|\\.)*", re.S)  # to the end of the line, and on where a backslash continues it
_PROMPTS = re.compile(r"^(?:>>> ?|\.\.\. ?|In \[\d+\]: |[ \t]*\.{3,}: ?)", re.M)


def plain_python(source: str) -> tuple[str, list[str]]:
    """The Python of a cell, with a `pass` where IPython's lines were; and a sentence for each of those."""
    source = _without_indent(_without_prompts(source))
    start = len(source) - len(source.lstrip("\n \t"))
    if source.startswith("%%", start):
        magic = source[start:].split(None, 1)[0]
        if magic not in RUNS_ITS_CELL:
            return "", [f"is a {magic[:40]} cell and was skipped"]
        end = source.find("\n", start)
        source = source[:start] + "pass" + (source[end:] if end >= 0 else "")
    notes: list[str] = []
    out: list[str] = []
    at = 0
    while at < len(source):
        end, is_python = _logical_line(source, at)
        line = source[at:end]
        if is_python:
            out.append(line)
        elif timed := _TIMED.match(line):
            out.append(timed[1] + line[timed.end() :])
        else:
            shown = " ".join(line.split())
            number = source.count("\n", 0, at) + 1 if len(notes) < 20 else 0
            notes.append(f"line {number}: {shown[:60]!r} was skipped")
            indent = re.match(r"[ \t]*", line).group()  # type: ignore[union-attr]
            out.append(f"{indent}pass" + "\n" * line.count("\n"))
        at = end
    return "".join(out), notes


def _logical_line(source: str, start: int) -> tuple[int, bool]:
    """Where the logical line that begins at `start` ends, its newline included; and whether it is Python."""
    if _ESCAPE.match(source, start):
        return _line_end(source, start), False
    depth = 0
    for token in _TOKEN.finditer(source, start):
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth = max(0, depth - 1)
        elif depth == 0 and token["assigned"]:
            return _line_end(source, token.start()), False
        elif depth == 0 and token["end"]:
            return token.end(), not _asks_for_help(source[start : token.start()])
    return len(source), not _asks_for_help(source[start:])


def _line_end(source: str, at: int) -> int:
    return min(len(source), _REST.match(source, at).end() + 1)  # type: ignore[union-attr]


def _asks_for_help(line: str) -> bool:
    """`name?` and `name??`."""
    return re.fullmatch(r"\s*[\w.*\[\]-]+\?{1,2}\s*(?:#.*)?", line) is not None


def _without_prompts(source: str) -> str:
    """A cell that was pasted from a session, `>>> ` or `In [1]: ` at its start."""
    return _PROMPTS.sub("", source) if re.match(r"\s*(?:>>> |In \[\d+\]: )", source) else source


def _without_indent(source: str) -> str:
    """A cell whose first line is indented: IPython takes that much from every line."""
    first = re.match(r"(?:[ \t]*\n)*([ \t]*)", source)
    if first is None or not first[1]:
        return source
    return "\n".join(line.removeprefix(first[1]) for line in source.split("\n"))
