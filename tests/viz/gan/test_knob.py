import asyncio

import matplotlib.pyplot as plt
import pytest
import torch

from efficientlab.models.gan.anycost.configs import FULL, UNIFORM
from efficientlab.models.gan.anycost.generator import LATENT, AnycostGenerator
from efficientlab.viz.gan import knob
from efficientlab.viz.gan.anycost import sample_rows, time_against_macs, trade_off
from efficientlab.viz.gan.knob import WHOLE, Budget, Knob, png


@pytest.fixture
def tool() -> Knob:
    torch.manual_seed(0)
    generator = AnycostGenerator().eval()
    steps = {"hair": torch.randn(LATENT), "skin": torch.randn(LATENT)}
    budgets = {"small": Budget(UNIFORM[0], 16), "wide": Budget(UNIFORM[1], 32)}
    return Knob(generator, steps, budgets, lambda config, size: sum(config) * size)


def test_painting(tool):
    plain = tool.paint({})
    assert plain.picture.shape == (3, 32, 32) and plain.macs == sum(FULL) * 32 and plain.seconds > 0
    assert tool.paint({"hair": 1.0}, tool.budgets["small"]).picture.shape == (3, 16, 16)
    assert not torch.equal(tool.paint({"hair": 1.0}).picture, plain.picture)
    assert torch.equal(tool.paint({"hair": 0.0}).picture, plain.picture)
    tool.shuffle(3)
    assert not torch.equal(tool.paint({}, WHOLE).picture, plain.picture)
    assert "M MACs" in str(plain)


def test_the_still_shows_every_budget_and_edit(tool):
    figure = tool.still()
    assert len(figure.axes) == 3 * 3
    plt.close(figure)


def test_without_a_front_end_there_is_a_picture(tool, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    tool.show()
    assert type(shown[0]).__name__ == "Figure"


def test_a_movement_paints_a_preview_at_once_and_the_rest_the_picture(tool, monkeypatch):
    ipywidgets = pytest.importorskip("ipywidgets")
    monkeypatch.setattr(knob, "PAUSE", 0.01)

    async def use() -> None:
        box = tool.widget()
        buttons, *sliders, budget, pictures = box.children
        (preview, cost), (full, full_cost) = (column.children for column in pictures.children)
        before, final = preview.value, full.value
        assert cost.value.startswith("preview:") and full_cost.value.startswith("full picture:")
        sliders[0].value = 2.0
        assert preview.value != before and full.value == final and full.layout.opacity != "1"
        await asyncio.sleep(0.05)
        assert full.value != final and full.layout.opacity == "1"
        cheap = preview.value
        budget.value = "wide"
        assert preview.value != cheap
        shuffle, reset, *presets = buttons.children
        shuffle.click()
        person = preview.value
        reset.click()
        assert [s.value for s in sliders] == [0.0, 0.0] and preview.value != person
        presets[1].click()
        assert [s.value for s in sliders] == [0.0, 2.0]
        await asyncio.sleep(0.05)

    assert ipywidgets is not None
    asyncio.run(use())


def test_pngs_have_the_size_of_the_screen():
    content = png(torch.linspace(-2, 2, 3 * 8 * 8).view(3, 8, 8), 64)
    assert content.startswith(b"\x89PNG") and int.from_bytes(content[16:20]) == 64


def test_pictures_of_the_lab():
    rows = {"large": torch.rand(3, 3, 32, 32), "small": 3 * torch.rand(3, 3, 8, 8)}
    for figure in (
        sample_rows(rows, 3),
        time_against_macs({"batch of 1": [(1, 1), (4, 2)], "batch of 16": [(1, 1), (4, 4)]}),
        trade_off({"a": (1.0, 2.0), "b": (2.0, 1.0)}, "x", "y"),
    ):
        figure.canvas.draw()
        plt.close(figure)
