"""Write a shipped file's row into data/manifest.json; the make_*.py scripts call this last."""

import hashlib
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent


def record(path: Path, **facts: Any) -> None:
    """Put the size and sha256 of ``path`` and the given facts into the manifest; say whether it changed."""
    content = path.read_bytes()
    name = path.resolve().relative_to(ROOT).as_posix()
    file = ROOT / "manifest.json"
    rows = json.loads(file.read_text(encoding="utf-8"))["files"] if file.exists() else {}
    digest = hashlib.sha256(content).hexdigest()
    state = "as before" if rows.get(name, {}).get("sha256") == digest else "CHANGED"
    rows[name] = {"sha256": digest, "bytes": len(content), **facts}
    text = json.dumps({"files": dict(sorted(rows.items()))}, indent=2, ensure_ascii=False)
    partial = file.with_suffix(".part")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(file)
    print(f"{name}: {len(content):,} bytes, {state}")
