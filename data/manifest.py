"""Keep data/manifest.json and the table of data/README.md: the make_*.py scripts record what they made."""

import hashlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
MANIFEST, README = ROOT / "manifest.json", ROOT / "README.md"
TABLE_START, TABLE_END = "<!-- table: written by manifest.py -->\n", "<!-- end of table -->"


def record(path: Path, **facts: Any) -> None:
    """Put the size and sha256 of ``path`` and the given facts into the manifest and the table."""
    content = path.read_bytes()
    name = path.resolve().relative_to(ROOT).as_posix()
    rows = json.loads(MANIFEST.read_text(encoding="utf-8"))["files"] if MANIFEST.exists() else {}
    digest = hashlib.sha256(content).hexdigest()
    state = "as before" if rows.get(name, {}).get("sha256") == digest else "CHANGED"
    print(f"{name}: {len(content):,} bytes, {state}")
    rows[name] = {"sha256": digest, "bytes": len(content), **facts}
    rows = dict(sorted(rows.items()))
    write(MANIFEST, json.dumps({"files": rows}, indent=2, ensure_ascii=False) + "\n")
    before, rest = README.read_text(encoding="utf-8").split(TABLE_START)
    write(README, before + TABLE_START + table(rows) + TABLE_END + rest.split(TABLE_END)[1])


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The manifest as a Markdown table."""
    lines = [
        "| file | what | source | licence | bytes | sha256 | made by |",
        "|---|---|---|---|---:|---|---|",
    ]
    lines += [
        f"| {name} | {row['what']} | {row['source']} | {row['licence']} | {row['bytes']} "
        f"| `{row['sha256']}` | `{row['make']}` |"
        for name, row in rows.items()
    ]
    lines.append(f"| in all | | | | {sum(row['bytes'] for row in rows.values())} | | |")
    return "\n".join(lines) + "\n"


def write(path: Path, text: str) -> None:
    """Replace a file in one step."""
    partial = path.with_suffix(".part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
