"""What only IPython understands: blanked where it stands, left alone where it is Python."""

from __future__ import annotations

import ast
import time

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from efficientlab.grading.reading.magics import plain_python

PYTHON = (
    "a = (7\n % 4)\n",
    "text = '''\n%d\n!ls\n''' % 3\n",
    "x = 3 \\\n % 2\n",
    "y = [1,\n% 2]\n".replace("% 2", "-2"),
    "b = 'it\\'s' # %time\n",
    "def f(a=1):\n    return a != 3\n",
    "x %= 2\n",
    "z = x %y\n",
    "s = 'a?'\nt = r'\\'\n".replace("r'\\'", "r'a'"),
    "# what?\nx = 1  # really?\n",
)
MAGIC = (
    "%matplotlib inline\nx = 1\n",
    "!pip install a \\\n  b\nx = 1\n",
    "files = !ls 'it\nx = 1\n",
    "here = %pwd\nx = 1\n",
    "temporal_shift?\nx = 1\n",
    "torch.nn??\nx = 1\n",
    "?torch\nx = 1\n",
    "if True:\n    %time f()\n    !ls\nx = 1\n",
    "/print 1\n,print a b\n;print a b\nx = 1\n",
    "a = '# %'\n%ls\nx = 1\n",
    "%%time\nx = 1\n",
    "\n\n%%capture out\nx = 1\n",
)


@pytest.mark.parametrize("source", PYTHON)
def test_python_stays_as_it_is(source: str) -> None:
    assert TransformerManager().transform_cell(source) == source
    assert plain_python(source) == (source, [])


@pytest.mark.parametrize("source", MAGIC)
def test_what_ipython_would_rewrite_becomes_pass_and_lines_keep_their_numbers(source: str) -> None:
    assert TransformerManager().transform_cell(source) != source
    python, notes = plain_python(source)
    tree = ast.parse(python)
    assert tree.body[-1].lineno == source.count("\n")  # x = 1, on the last line
    assert ast.unparse(tree.body[-1]) == "x = 1"
    assert bool(notes) == (not source.lstrip().startswith("%%"))


def test_a_skipped_line_is_named_with_its_number() -> None:
    assert plain_python("x = 1\n!pip install einops\n")[1] == ["line 2: '!pip install einops' was skipped"]


@pytest.mark.parametrize("magic", ["%%bash", "%%writefile a.py", "%%html", "%%javascript", "%%cython"])
def test_a_cell_of_another_language_is_skipped_whole(magic: str) -> None:
    assert plain_python(f"{magic}\nx = 1\n") == ("", [f"is a {magic.split()[0]} cell and was skipped"])


@pytest.mark.parametrize(
    "source",
    [">>> x = 1\n>>> def f():\n...     return x\n", "In [3]: x = 1\n   ...: y = 2\n", "  x = 1\n  y = 2\n"],
)
def test_prompts_and_a_common_indent_are_taken_off(source: str) -> None:
    assert plain_python(source) == (TransformerManager().transform_cell(source), [])


@pytest.mark.parametrize(
    "unit", ["%a\n", "'''", "'\\", '"""\\', "(", "a.b[1]", "a=", "x=1\\\n", "\\", "\n", " ", "=%", "a.", "?"]
)
def test_the_time_grows_with_the_length_and_no_faster(unit: str) -> None:
    def seconds(copies: int) -> float:
        """The best of three: a busy machine's caches are others' caches."""
        spent = []
        for _ in range(3):
            start = time.process_time()
            plain_python(unit * copies)
            spent.append(time.process_time() - start)
        return min(spent)

    plain_python(unit)
    assert seconds(80_000) < 60 * max(seconds(4_000), 2e-3)  # 20 times the text; quadratic would be 400
