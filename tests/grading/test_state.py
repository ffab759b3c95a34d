"""State that an answer uses and that its text does not show: each notebook makes AXIS 1 in a way of its own.

In a kernel, run from top to bottom, each answer here is right. Without the state it is wrong or raises.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from test_student_notebooks import RIGHT, graded, read

SPACE = "from types import SimpleNamespace"
THREAD = "from threading import Thread"
STATE: dict[str, Sequence[str]] = {
    # objects under other names
    "another name": ["L = [5]\nM = L", "M[0] = 1", RIGHT.format("L[0]")],
    "another name, by a method": ["L = []\nM = L", "M.append(1)", RIGHT.format("L[0]")],
    "in a list": ["L = []\nALL = [L, []]", "for one in ALL:\n    one.append(1)", RIGHT.format("L[0]")],
    "in a dictionary": ["D = {}\nALL = {'d': D}", "ALL['d']['axis'] = 1", RIGHT.format("D['axis']")],
    "in an object": [
        f"{SPACE}\nD = {{}}\nHOLDER = SimpleNamespace(d=D)",
        "HOLDER.d['axis'] = 1",
        RIGHT.format("D['axis']"),
    ],
    "by unpacking": ["PAIR = ([0], [2])\nA, B = PAIR", "PAIR[0][0] = 1", RIGHT.format("A[0]")],
    "a view": ["T = torch.zeros(4, dtype=torch.long)\nV = T[1:3]", "V += 1", RIGHT.format("T[1].item()")],
    "a view of numpy's": [
        "A = np.zeros(3, int)\nB = A.reshape(3, 1)",
        "B[0, 0] = 1",
        RIGHT.format("int(A[0])"),
    ],
    "numpy under torch": [
        "A = np.zeros(2)\nT = torch.from_numpy(A)",
        "T.add_(1)",
        RIGHT.format("int(A[0])"),
    ],
    "a chain of names": ["A = []\nB = {'a': A}\nC = (B,)", "C[0]['a'].append(1)", RIGHT.format("A[0]")],
    "a bound method": ["L = []\nput = L.append", "put(1)", RIGHT.format("L[0]")],
    "a partial function": [
        "from functools import partial\nD = {}\nput = partial(D.__setitem__, 'axis')",
        "put(1)",
        RIGHT.format("D['axis']"),
    ],
    "a closure": [
        "def counter():\n    n = [0]\n    def up():\n        n[0] += 1\n        return n[0]\n    return up, n",
        "up, N = counter()",
        "up()",
        RIGHT.format("N[0]"),
    ],
    "a nonlocal": [
        "def counter():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    return up, lambda: n",
        "up, count = counter()",
        "up()",
        RIGHT.format("count()"),
    ],
    "a default that is filled": [
        "def seen(x=None, known=[]):\n    known.append(x)\n    return len(known)",
        "seen(3)",
        RIGHT.format("len(seen.__defaults__[1])"),
    ],
    "an attribute of a function": [
        "def up():\n    up.n += 1\nup.n = 0",
        "up()",
        RIGHT.format("up.n"),
    ],
    "a generator": [
        "def axes():\n    yield 7\n    yield 1\nG = axes()",
        "for a in G:\n    break",
        "AXIS = next(G)",
        RIGHT.format("AXIS"),
    ],
    "an iterator, unpacked": [
        "IT = iter([4, 5, 1])",
        "a, b = next(IT), next(IT)\nAXIS = next(IT)",
        RIGHT.format("AXIS"),
    ],
    "a coroutine that is sent to": [
        "LAST = []\ndef taker():\n    while True:\n        LAST.append((yield))\nG = taker()\nnext(G)",
        "G.send(1)",
        RIGHT.format("LAST[0]"),
    ],
    "a default dictionary": [
        "from collections import defaultdict\nD = defaultdict(int)",
        "D['x']",
        RIGHT.format("len(D)"),
    ],
    # torch
    "an optimizer's step": [
        "W = torch.nn.Parameter(torch.zeros(1))\nopt = torch.optim.SGD([W], lr=1.0)",
        "loss = -W.sum()",
        "loss.backward()",
        "opt.step()",
        RIGHT.format("round(W.item())"),
    ],
    "a training loop": [
        "net = torch.nn.Linear(1, 1, bias=False)\ntorch.nn.init.zeros_(net.weight)",
        "opt = torch.optim.SGD(net.parameters(), lr=1.0)",
        "for _ in range(1):\n    opt.zero_grad()\n    (-net(torch.ones(1, 1))).sum().backward()\n    opt.step()",
        RIGHT.format("round(net.weight.item())"),
    ],
    "a gradient": [
        "W = torch.ones(1, requires_grad=True)",
        "(W * W / 2).sum().backward()",
        RIGHT.format("int(W.grad)"),
    ],
    "load_state_dict": [
        "net = torch.nn.Linear(1, 1)",
        "net.load_state_dict({'weight': torch.ones(1, 1), 'bias': torch.zeros(1)})",
        RIGHT.format("int(net.weight)"),
    ],
    "nn.init of a part": [
        "net = torch.nn.Linear(1, 1)",
        "torch.nn.init.ones_(net.weight)",
        RIGHT.format("int(net.weight)"),
    ],
    "nn.init by name": [
        "net = torch.nn.Linear(1, 1)",
        "for name, p in net.named_parameters():\n    torch.nn.init.constant_(p, 1)",
        RIGHT.format("int(net.weight)"),
    ],
    "apply": [
        "net = torch.nn.Sequential(torch.nn.Linear(1, 1))\ndef ones(m):\n    if hasattr(m, 'weight'):\n"
        "        torch.nn.init.ones_(m.weight)",
        "net.apply(ones)",
        RIGHT.format("int(net[0].weight)"),
    ],
    "register_buffer": [
        "net = torch.nn.Module()",
        "net.register_buffer('axis', torch.tensor(1))",
        RIGHT.format("int(net.axis)"),
    ],
    "a hook": [
        "SEEN = []\nnet = torch.nn.Linear(1, 1)",
        "h = net.register_forward_hook(lambda m, i, o: SEEN.append(1))",
        "net(torch.ones(1, 1))",
        RIGHT.format("SEEN[0]"),
    ],
    "eval": ["net = torch.nn.Dropout()", "net.eval()", RIGHT.format("2 if net.training else 1")],
    "no_grad": [
        "W = torch.zeros(1, requires_grad=True)",
        "with torch.no_grad():\n    W += 1",
        RIGHT.format("int(W)"),
    ],
    "data": ["W = torch.nn.Parameter(torch.zeros(1))", "W.data = torch.ones(1)", RIGHT.format("int(W)")],
    "a slice": ["T = torch.zeros(3)", "T[1:] = 1", RIGHT.format("int(T[2])")],
    "out=": ["T = torch.zeros(1)", "torch.add(torch.ones(1), 0, out=T)", RIGHT.format("int(T)")],
    "index_put": [
        "T = torch.zeros(3)",
        "T.index_put_((torch.tensor([1]),), torch.tensor(1.0))",
        RIGHT.format("int(T[1])"),
    ],
    "a seed": [
        "torch.manual_seed(0)\nA = torch.rand(1)",
        "torch.manual_seed(0)",
        "B = torch.rand(1)",
        RIGHT.format("1 if A == B else 2"),
    ],
    "numpy's seed": [
        "np.random.seed(3)\nA = np.random.rand()",
        "np.random.seed(3)\nB = np.random.rand()",
        RIGHT.format("1 if A == B else 2"),
    ],
    "the default type": [
        "torch.set_default_dtype(torch.float64)",
        RIGHT.format("1 if torch.zeros(1).dtype == torch.float64 else 2"),
    ],
    "the default type, in a function": [
        "def setup():\n    torch.set_default_dtype(torch.float64)",
        "setup()",
        RIGHT.format("1 if torch.zeros(1).dtype == torch.float64 else 2"),
    ],
    "the recursion limit": [
        "import sys\nsys.setrecursionlimit(20_000)",
        "def deep(n):\n    return 1 if n == 0 else deep(n - 1)",
        RIGHT.format("deep(5_000)"),
    ],
    "the folder": [
        "import os\nos.makedirs('there', exist_ok=True)",
        "os.chdir('there')\nwith open('a.txt', 'w') as f:\n    f.write('1')",
        RIGHT.format("int(open('a.txt').read())"),
    ],
    # modules
    "a module's attribute": ["import math\nmath.axis = 1", RIGHT.format("math.axis")],
    "a module under another name": ["import math\nimport math as m", "m.axis = 1", RIGHT.format("math.axis")],
    "a part of a package": [
        "import torch.nn.functional as G",
        "torch.nn.functional.axis = 1",
        RIGHT.format("G.axis"),
    ],
    "a name from a module": [
        "from torch import nn as layers",
        "layers.AXIS = 1",
        RIGHT.format("torch.nn.AXIS"),
    ],
    "setattr on a module": [
        "import math",
        "setattr(math, 'axes', 1)",
        "import math as m",
        RIGHT.format("m.axes"),
    ],
    "a patched function": [
        "import math",
        "from unittest.mock import patch\npatch.object(math, 'floor', lambda x: 1).start()",
        RIGHT.format("math.floor(7.2)"),
    ],
    "a function patched by its name": [
        "import math",
        "from unittest.mock import patch\npatch('math.ceil', lambda x: 1).start()",
        RIGHT.format("math.ceil(7.2)"),
    ],
    "the environment": ["import os\nos.environ['AXIS'] = '1'", RIGHT.format("int(os.environ['AXIS'])")],
    "the environment, updated": [
        "import os",
        "os.environ.update(AXES='1')",
        "from os import environ",
        RIGHT.format("int(environ['AXES'])"),
    ],
    "a method put into a class of torch's": [
        "torch.Tensor.axis_of = lambda self: 1",
        RIGHT.format("video.axis_of()"),
    ],
    "a module by its name": [
        "import sys, math\nsys.modules['math'].axis2 = 1",
        RIGHT.format("math.axis2"),
    ],
    # classes
    "a class's attribute, later": ["class C:\n    axis = 5", "C.axis = 1", RIGHT.format("C.axis")],
    "a class's attribute, by an object": [
        "class C:\n    axis = 5",
        "c = C()",
        "type(c).axis = 1",
        RIGHT.format("C.axis"),
    ],
    "a class that counts": [
        "class C:\n    n = 0\n    def __init__(self):\n        C.n += 1",
        "c = C()",
        RIGHT.format("C.n"),
    ],
    "a class's body": ["L = []", "class C:\n    L.append(1)", RIGHT.format("L[0]")],
    "a metaclass": [
        "ALL = []\nclass Meta(type):\n    def __init__(cls, *a):\n        ALL.append(cls)",
        "class C(metaclass=Meta):\n    pass",
        RIGHT.format("len(ALL)"),
    ],
    "a method, later": [
        "class C:\n    pass",
        "def axis(self):\n    return 1\nC.axis = axis",
        RIGHT.format("C().axis()"),
    ],
    "a property's setter": [
        "KEPT = {}\nclass C:\n    @property\n    def axis(self):\n        return 0\n    @axis.setter\n"
        "    def axis(self, x):\n        KEPT['axis'] = x",
        "c = C()",
        "c.axis = 1",
        RIGHT.format("KEPT['axis']"),
    ],
    "an operator": [
        "KEPT = []\nclass C:\n    def __lshift__(self, x):\n        KEPT.append(x)",
        "c = C()",
        "c << 1",
        RIGHT.format("KEPT[0]"),
    ],
    "a descriptor": [
        "NAMES = []\nclass Field:\n    def __set_name__(self, owner, name):\n        NAMES.append(name)",
        "class C:\n    axis = Field()",
        RIGHT.format("len(NAMES)"),
    ],
    # functions that are handed over
    "a thread": [
        f"{THREAD}\nL = []\ndef work():\n    L.append(1)",
        "t = Thread(target=work)",
        "t.start()\nt.join()",
        RIGHT.format("L[0]"),
    ],
    "a thread with a global": [
        f"{THREAD}\ndef work():\n    global AXIS\n    AXIS = 1",
        "t = Thread(target=work)\nt.start()",
        "t.join()",
        RIGHT.format("AXIS"),
    ],
    "a thread of a method": [
        f"{THREAD}\nD = {{}}",
        "t = Thread(target=D.update, kwargs={'axis': 1})",
        "t.start()",
        "t.join()",
        RIGHT.format("D['axis']"),
    ],
    "a thread of a lambda": [
        f"{THREAD}\nL = []",
        "t = Thread(target=lambda: L.append(1))",
        "t.start()\nt.join()",
        RIGHT.format("L[0]"),
    ],
    "a thread of its own class": [
        f"{THREAD}\nL = []\nclass T(Thread):\n    def run(self):\n        L.append(1)",
        "t = T()\nt.start()\nt.join()",
        RIGHT.format("L[0]"),
    ],
    "a pool": [
        "from concurrent.futures import ThreadPoolExecutor\nD = {}\ndef work(x):\n    D[x] = 1",
        "with ThreadPoolExecutor(2) as pool:\n    list(pool.map(work, 'ab'))",
        RIGHT.format("D['b']"),
    ],
    "a future": [
        "from concurrent.futures import ThreadPoolExecutor\nL = []\npool = ThreadPoolExecutor(1)",
        "job = pool.submit(L.append, 1)",
        "job.result()",
        RIGHT.format("L[0]"),
    ],
    "an event": [
        f"import threading\n{THREAD}\nREADY = threading.Event()\nL = []",
        "def work():\n    L.append(1)\n    READY.set()\nThread(target=work).start()",
        "READY.wait(5)",
        RIGHT.format("L[0]"),
    ],
    "a timer": [
        "import threading\nL = []\nt = threading.Timer(0.01, L.append, [1])",
        "t.start()",
        "t.join()",
        RIGHT.format("L[0]"),
    ],
    "a key function": [
        "SEEN = []\ndef key(x):\n    SEEN.append(x)\n    return x",
        "sorted([1, 1], key=key)",
        RIGHT.format("SEEN[0]"),
    ],
    "a lambda under a name": ["L = []\nput = lambda x: L.append(x)", "put(1)", RIGHT.format("L[0]")],
    "a function under another name": [
        "def fill():\n    global AXIS\n    AXIS = 1\ngo = fill",
        "go()",
        RIGHT.format("AXIS"),
    ],
    "a function out of a table": [
        "def fill():\n    global AXIS\n    AXIS = 1\nALL = {'go': fill}",
        "ALL['go']()",
        RIGHT.format("AXIS"),
    ],
    "functions in a loop": [
        "def fill():\n    global AXIS\n    AXIS = 1",
        "for f in (fill, len):\n    f is fill and f()",
        RIGHT.format("AXIS"),
    ],
    "a decorator that calls": [
        "def now(f):\n    f()\n    return f",
        "@now\ndef fill():\n    global AXIS\n    AXIS = 1",
        RIGHT.format("AXIS"),
    ],
    "functools.cache": [
        "from functools import cache\nCALLS = []\n@cache\ndef axis():\n    CALLS.append(1)\n    return len(CALLS)",
        "axis()",
        "CALLS.append(1)",
        RIGHT.format("axis()"),
    ],
    "a function with another's code": [
        "def axis():\n    return 5\ndef one():\n    return 1",
        "also = axis",
        "also.__code__ = one.__code__",
        RIGHT.format("axis()"),
    ],
    "a function by globals": [
        "def axis():\n    return axis.is_one",
        "globals()['axis'].is_one = 1",
        RIGHT.format("axis()"),
    ],
    "a finalizer": [
        "KEPT = []\nclass C:\n    def __del__(self):\n        KEPT.append(1)\nc = C()",
        "del c",
        RIGHT.format("KEPT[0]"),
    ],
    # blocks
    "a context that changes": [
        "import contextlib\nD = {}\n@contextlib.contextmanager\ndef entered():\n    D['axis'] = 1\n    yield",
        "with entered():\n    pass",
        RIGHT.format("D['axis']"),
    ],
    "a context's object": [
        "class C:\n    axis = 0\n    def __enter__(self):\n        self.axis = 1\n"
        "    def __exit__(self, *a):\n        pass",
        "c = C()",
        "with c:\n    pass",
        RIGHT.format("c.axis"),
    ],
    "an exit stack": [
        "import contextlib\nL = []\nstack = contextlib.ExitStack()",
        "stack.callback(L.append, 1)",
        "stack.close()",
        RIGHT.format("L[0]"),
    ],
    "a comprehension": ["L = []", "[L.append(i) for i in (1, 2)]", RIGHT.format("L[0]")],
    "a comprehension with a walrus": ["[last := i for i in (2, 1)]", RIGHT.format("last")],
    "a condition": [
        "if torch.cuda.device_count() < 99:\n    AXIS = 1\nelse:\n    AXIS = 9",
        RIGHT.format("AXIS"),
    ],
    "a definition under a condition": ["if True:\n    def axis():\n        return 1", RIGHT.format("axis()")],
    "an import that fails": [
        "try:\n    import einops_not_here as e\nexcept ImportError:\n    e = None",
        RIGHT.format("2 if e else 1"),
    ],
    "while": ["AXIS = 9", "while AXIS > 1:\n    AXIS -= 1", RIGHT.format("AXIS")],
    "del of an attribute": [
        "class C:\n    axis = 1\nc = C()\nc.axis = 5",
        "del c.axis",
        RIGHT.format("c.axis"),
    ],
    "augmented item": ["D = {'a': 0}", "D['a'] += 1", RIGHT.format("D['a']")],
    "augmented attribute": [f"{SPACE}\nS = SimpleNamespace(a=0)", "S.a += 1", RIGHT.format("S.a")],
    # the notebook's own namespace
    "the main module": ["import __main__\n__main__.AXIS = 1", RIGHT.format("AXIS")],
    "the main module by name": [
        "import sys\nsetattr(sys.modules[__name__], 'AXIS', 1)",
        RIGHT.format("AXIS"),
    ],
    "vars": ["vars()['AXIS'] = 1", RIGHT.format("AXIS")],
    "the shell's namespace": ["get_ipython().user_ns['AXIS'] = 1", RIGHT.format("AXIS")],
    "the shell's push": ["get_ipython().push({'AXIS': 1})", RIGHT.format("AXIS")],
    "run_cell": ["get_ipython().run_cell('AXIS = 1')", RIGHT.format("AXIS")],
    "globals in a function": ["def put(**k):\n    globals().update(k)", "put(AXIS=1)", RIGHT.format("AXIS")],
    "builtins": ["import builtins\nbuiltins.AXIS_OF_ALL = 1", RIGHT.format("AXIS_OF_ALL")],
    "exec with a namespace": ["exec(compile('AXIS = 1', 'x', 'exec'), globals())", RIGHT.format("AXIS")],
    "a star import that a name follows": ["from math import *\nAXIS = int(cos(0))", RIGHT.format("AXIS")],
    # the loop of the kernel
    "await": [
        "import asyncio\nasync def axis():\n    await asyncio.sleep(0)\n    return 1",
        "AXIS = await axis()",
        RIGHT.format("AXIS"),
    ],
    "a task": [
        "import asyncio\nL = []\nasync def work():\n    L.append(1)",
        "task = asyncio.create_task(work())",
        "await task",
        RIGHT.format("L[0]"),
    ],
    "a task that nobody awaits": [
        "import asyncio\nD = {}\nasync def work():\n    D['axis'] = 1",
        "asyncio.create_task(work())",
        RIGHT.format("D['axis']"),
    ],
    "gather": [
        "import asyncio\nL = []\nasync def work(x):\n    L.append(x)",
        "await asyncio.gather(work(1), work(1))",
        RIGHT.format("L[1]"),
    ],
    "async with": [
        "import contextlib\nD = {}\n@contextlib.asynccontextmanager\nasync def entered():\n    D['a'] = 1\n    yield",
        "async with entered():\n    pass",
        RIGHT.format("D['a']"),
    ],
    "async for": [
        "async def axes():\n    yield 1\nL = []",
        "async for a in axes():\n    L += [a]",
        RIGHT.format("L[0]"),
    ],
    # files
    "a file under a name that is put together": [
        "import os\nNAME = 'axis'\nos.makedirs('kept', exist_ok=True)",
        "with open(os.path.join('kept', NAME), 'w') as f:\n    f.write('1')",
        RIGHT.format("int(open(os.path.join('kept', NAME)).read())"),
    ],
    "a file of numbers": [
        "RUN = 3",
        "torch.save(torch.ones(1), f'w{RUN}')",
        "A = torch.load(f'w{RUN}')",
        RIGHT.format("int(A)"),
    ],
    "an object on disk": [
        "class Net(torch.nn.Module):\n    axis = 1\ntorch.save(Net(), 'net.pt')",
        "net = torch.load('net.pt', weights_only=False)",
        RIGHT.format("net.axis"),
    ],
    "pickle": [
        "import pickle\nclass C:\n    axis = 1\nTEXT = pickle.dumps(C())",
        "c = pickle.loads(TEXT)",
        RIGHT.format("c.axis"),
    ],
    "a stray exit": ["import sys\nL = []\nM = L", "M.append(1)", "sys.exit()", RIGHT.format("L[0]")],
}


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    """A process of its own: what these notebooks do to torch, NumPy and the interpreter reaches no other test."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def outcome(name: str, folder: Path) -> tuple[str, str]:
    os.chdir(folder)
    main = sys.modules["__main__"]
    try:
        result = graded("import numpy as np", *STATE[name])
    finally:
        sys.modules["__main__"] = main
    return result.status, result.message


@pytest.mark.slow
@pytest.mark.parametrize("name", STATE)
def test_an_answer_finds_what_it_finds_in_a_kernel(
    name: str, tmp_path: Path, elsewhere: ProcessPoolExecutor
) -> None:
    status, message = elsewhere.submit(outcome, name, tmp_path).result()
    assert status == "passed", message


def test_cells_above_are_run_where_no_slice_can_know_and_it_is_said() -> None:
    cells = ["L = [5]\nM = {'a': L}", "x = 3", "M['a'][0] = 1"]
    result = graded(*cells, RIGHT.format("L[0]"), "raise RuntimeError('an experiment below ran')")
    assert result.status == "passed"
    assert result.message.endswith("; run with the cells above it, which may change what it uses")


def test_cells_above_run_only_where_there_is_something_that_they_can_change() -> None:
    """A wrong answer that uses functions and numbers is wrong at once: the experiments above it do not run."""
    trial = "x = torch.ones(2, 3)\ny = x.mean()"

    def above(*cells: str) -> tuple[int, ...]:
        return read("import torch", *cells).needs["4.1"].above

    assert above("K = 2", trial, RIGHT.format("K")) == ()
    assert above("def k():\n    return 2", trial, RIGHT.format("k()")) == ()
    assert above("K = [2]", trial, RIGHT.format("K[0]")) == (0, 1, 2, 3)
    assert above("K = [2]", "print(3)", "N = 3", RIGHT.format("K[0]")) == ()
    assert above(trial, RIGHT.format("NOBODY_MADE_IT")) == (0, 1, 2)


@pytest.mark.slow
def test_cells_above_that_come_to_no_end_cost_no_answer_its_own_message() -> None:
    cells = ["L = [2]\nM = L", "import time\nwhile True:\n    time.sleep(1)\n    M.append(1)"]
    needs = read(*cells, RIGHT.format("L[0]")).needs["4.1"]
    assert needs.above == (0, 1, 2)
