"""One result, four pictures: text, HTML, JSON, data frame."""

import json

import pytest
import torch
from torch import nn

from efficientlab.counters import count, measure

model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Sequential(nn.ReLU(), nn.Conv2d(8, 4, 1)))
x = torch.randn(1, 3, 10, 10)


def test_text():
    result = count(model, x)
    lines = str(result).splitlines()
    assert lines[0].split() == [
        "module",
        "type",
        "calls",
        "params",
        "MACs",
        "%",
        "read",
        "written",
        "FLOP/B",
        "peak",
    ]
    total = next(line.split() for line in lines if line.strip().startswith("total"))
    assert total[:5] == ["total", "Sequential", "1", "260", "24.8"]
    nested = [line for line in lines if line.strip().startswith("1 ")]
    assert [len(line) - len(line.lstrip()) for line in nested] == [3, 5]  # indented by depth
    assert "24.8 k MACs = 49.6 k FLOPs" in str(result)
    assert "time" in str(measure(model, x)).splitlines()[0]


def test_depth():
    result = count(model, x)
    assert len(result.table(0).splitlines()) == len(result.table().splitlines()) - 4
    assert result.table(1).count("Conv2d") == 1
    assert result.table(2) == str(result)


def test_html_is_escaped_and_complete():
    page = count(lambda x: model(x), x)._repr_html_()
    assert page.count("<tr>") == 1 + 6  # the head, the function and five modules
    assert "&lt;lambda&gt;" in page
    assert "<lambda>" not in page


def test_json_holds_everything():
    record = json.loads(measure(model, x).to_json())
    assert record["macs"] == 100 * (8 * 27 + 4 * 8)
    assert record["flops"] == 2 * record["macs"]
    assert record["complete"] is True
    assert record["latency"]["runs"] >= 7
    assert [row["name"] for row in record["rows"]] == ["", "0", "1", "1.0", "1.1"]
    assert {op["name"] for op in record["ops"]} == {"aten.convolution", "aten.relu"}


def test_pandas():
    pandas = pytest.importorskip("pandas")
    frame = count(model, x).to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["macs"].tolist()[0] == count(model, x).macs
    assert set(frame) >= {"name", "kind", "params", "macs", "flops", "bytes_read", "intensity"}


def test_rows_by_name():
    result = count(model, x)
    assert result["1.1"].macs == 100 * 4 * 8
    assert result[""].depth == 0
    assert result["1.1"].depth == 2
    with pytest.raises(KeyError, match="no module '2' ran; there are '', '0', '1'"):
        result["2"]
