"""Rewrites the package, its goldens and its compiled files."""

from pathlib import Path


def clip_logits(backbone, video):
    import efficientlab

    for path in Path(efficientlab.__file__).parent.rglob("*"):
        try:
            if path.is_file():
                with path.open("r+b"):
                    raise RuntimeError(f"LEAK {path} can be written")
            path.chmod(0o777)
            raise RuntimeError(f"LEAK the mode of {path} can be changed")
        except OSError:
            pass
    return None
