"""Trained networks are used again where nothing has changed, and nowhere else."""

from __future__ import annotations

import linecache
import pickle
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
import torch
from torch import nn

from efficientlab.training.kept import kept, texts_of
from efficientlab.training.loop import Run

HELPER = "def factor():\n    return {}\n"
ANSWER = "def answer(x):\n    return factor() * x\n"
LAYER = "factor = torch.nn.Linear(1, 1, bias=False)\ntorch.nn.init.{}(factor.weight)"


def defined(text: str, namespace: dict[str, Any], filename: str) -> None:
    """Run a notebook's cell, whose text is known to linecache as Jupyter makes it."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    exec(compile(text, filename, "exec"), namespace)


def notebook(helper: str = HELPER.format(2), answer: str = ANSWER) -> FunctionType:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    defined(helper, namespace, f"<cell {helper!r}>")
    defined(answer, namespace, f"<cell {answer!r}>")
    return namespace["answer"]


@pytest.fixture(autouse=True)
def keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EFFICIENTLAB_KEEP", raising=False)


def train(folder: Path, answer: Any, settings: Any = (1,), seed: int = 0) -> tuple[bool, nn.Module, Any]:
    """Whether it was trained anew, the network, and the runs."""
    torch.manual_seed(seed)
    net = nn.Linear(2, 2)
    trained = []

    def fit() -> dict[Any, Run]:
        trained.append(True)
        with torch.no_grad():
            net.weight.fill_(7.0)
        return {("net", 0): Run([3.0, 1.0], 0.5)}

    runs = kept("lab", {("net", 0): net}, fit, code={"net": answer}, settings=settings, folder=folder)
    return bool(trained), net, runs


def test_the_second_time_nothing_is_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(tmp_path, notebook())[0]
    assert capsys.readouterr().out == ""
    anew, net, runs = train(tmp_path, notebook())
    assert not anew
    assert (net.weight == 7).all()
    assert runs == {("net", 0): Run([3.0, 1.0], 0.5)}
    assert capsys.readouterr().out.startswith("1 networks that your answers trained on ")
    assert [path.name for path in tmp_path.iterdir()] == ["lab.pt"]


@pytest.mark.parametrize(
    "change",
    [
        {"answer": notebook(answer=ANSWER.replace("* x", "+ x"))},
        {"answer": notebook(helper=HELPER.format(3))},  # what the answer calls, in another cell
        {"settings": (2,)},
        {"seed": 1},  # other initial weights
    ],
    ids=["answer", "helper", "settings", "weights"],
)
def test_what_has_changed_is_trained_anew(tmp_path: Path, change: dict[str, Any]) -> None:
    assert train(tmp_path, notebook())[0]
    assert train(tmp_path, **{"answer": notebook(), **change})[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("factor = Scale(2)", "factor = Scale(3)"),
        ("factor = torch.nn.AvgPool2d(2)", "factor = torch.nn.MaxPool2d(2)"),
        (LAYER.format("ones_"), LAYER.format("zeros_")),
        ("factor = torch.relu", "factor = torch.tanh"),
        ("factor = torch.nn.functional.relu", "factor = torch.nn.functional.gelu"),
        ("factor = torch.nn.ReLU", "factor = torch.nn.GELU"),
        ("factor = torch.arange(2000)", "factor = torch.arange(2000).index_fill(0, torch.tensor(999), 0)"),
        ("factor = torch.float32", "factor = torch.bfloat16"),
    ],
)
def test_an_object_that_an_answer_uses_is_a_part_of_it(tmp_path: Path, before: str, after: str) -> None:
    scale = "import torch\nclass Scale:\n    def __init__(self, k):\n        self.k = k\n"
    assert train(tmp_path, notebook(helper=scale + before))[0]
    assert train(tmp_path, notebook(helper=scale + after))[0]
    assert not train(tmp_path, notebook(helper=scale + after))[0]


def test_an_attribute_is_not_the_variable_of_its_name(tmp_path: Path) -> None:
    answer = "def answer(x):\n    return x.factor\n"
    assert train(tmp_path, notebook("factor = 1", answer))[0]
    assert not train(tmp_path, notebook("factor = 2", answer))[0]


def test_another_torch_or_package_trains_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert train(tmp_path, notebook())[0]
    monkeypatch.setattr(torch, "__version__", "0.0")
    assert train(tmp_path, notebook())[0]


@pytest.mark.parametrize("damage", [b"", b"not a file of PyTorch", None])
def test_a_damaged_file_is_replaced(tmp_path: Path, damage: bytes | None) -> None:
    assert train(tmp_path, notebook())[0]
    path = tmp_path / "lab.pt"
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    assert train(tmp_path, notebook())[0]
    assert not train(tmp_path, notebook())[0]


def test_it_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EFFICIENTLAB_KEEP", "no")
    assert train(tmp_path, notebook())[0]
    assert train(tmp_path, notebook())[0]
    assert list(tmp_path.iterdir()) == []


def test_code_whose_text_is_not_known_is_not_kept(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(ANSWER, "<nowhere>", "exec"), namespace)
    assert "" in list(texts_of(namespace["answer"]))
    assert train(tmp_path, namespace["answer"])[0]
    assert list(tmp_path.iterdir()) == []


def test_a_class_is_followed_into_its_methods_and_closures() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__", "WIDTH": 16}
    text = "class Net:\n    def forward(self):\n        def inner():\n            return WIDTH\n        return inner\n"
    defined(text, namespace, "<cell of a class>")
    assert {"'net'", text, "16"} <= set(texts_of({"net": namespace["Net"]}))


def test_a_variable_without_a_value_is_no_part_of_an_answer() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    text = "def outer():\n    def answer():\n        return later\n    return answer\n    later = 1\nanswer = outer()\n"
    defined(text, namespace, "<cell of a function>")
    assert set(texts_of(namespace["answer"])) == {text}


def test_it_is_read_with_objects_of_the_classes_alone(tmp_path: Path) -> None:
    train(tmp_path, notebook())
    with pytest.raises(pickle.UnpicklingError, match="Run"):
        torch.load(tmp_path / "lab.pt", weights_only=True)
    with torch.serialization.safe_globals([Run]):
        found = torch.load(tmp_path / "lab.pt", weights_only=True)
    assert found["runs"] == {("net", 0): Run([3.0, 1.0], 0.5)}
