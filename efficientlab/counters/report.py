"""The result of a measurement: numbers, and its pictures as text, HTML, JSON and a data frame."""

from __future__ import annotations

import html
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from efficientlab.counters.energy import MAC_PICOJOULES, Energy, estimate
from efficientlab.counters.latency import Latency
from efficientlab.counters.text import seconds, si, size, table

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What was spent. 1 MAC (multiply-accumulate) = 2 FLOPs; only MACs are turned into FLOPs."""

    macs: int
    macs_backward: int
    """The part of `macs` that the backward pass did; 0 without one."""
    bytes_read: int
    bytes_written: int

    @property
    def flops(self) -> int:
        return 2 * self.macs

    @property
    def macs_forward(self) -> int:
        return self.macs - self.macs_backward

    @property
    def bytes_moved(self) -> int:
        return self.bytes_read + self.bytes_written

    @property
    def intensity(self) -> float:
        """Arithmetic intensity in FLOPs per byte."""
        return self.flops / self.bytes_moved if self.bytes_moved else 0.0


@dataclass(frozen=True, kw_only=True)
class ModuleRow(Cost):
    """One module with everything inside it. `name` is its path in the model, '' for the whole."""

    name: str
    kind: str
    calls: int
    params: int
    peak_activation_bytes: int
    latency: Latency | None = None
    """All calls together; None if time was not measured, or includes a backward pass."""

    @property
    def depth(self) -> int:
        return self.name.count(".") + 1 if self.name else 0


@dataclass(frozen=True, kw_only=True)
class OpRow(Cost):
    """All calls of one operator. `name` is torch's: 'aten.convolution'."""

    name: str
    calls: int


@dataclass(frozen=True)
class NotCounted:
    """An operator without a formula that is not zero by convention either, and where it was called."""

    op: str
    site: str
    calls: int

    def __str__(self) -> str:
        return f"{self.op} in {self.site}" + (f", {self.calls} calls" if self.calls > 1 else "")


@dataclass(frozen=True, kw_only=True)
class Measurement(Cost):
    """What `measure` found. Print it, or use its fields; bytes are bytes, times are seconds."""

    name: str
    params: int
    param_bytes: int
    peak_activation_bytes: int
    macs_by_dtype: dict[str, int]
    latency: Latency | None
    rows: tuple[ModuleRow, ...]
    ops: tuple[OpRow, ...]
    not_counted: tuple[NotCounted, ...]

    @property
    def complete(self) -> bool:
        """False where MACs are missing from the total, see `not_counted`."""
        return not self.not_counted

    def __getitem__(self, name: str) -> ModuleRow:
        """The row of one module by its path, '' for the whole."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"no module {name!r} ran; there are {', '.join(repr(r.name) for r in self.rows)}")

    def __str__(self) -> str:
        return self.table()

    def table(self, depth: int | None = None) -> str:
        """The rows down to a depth in the tree of modules (0: the whole alone), and the totals below."""
        header, rows = self._cells(depth)
        return "\n".join([table(header, rows), *self._summary()])

    def _repr_html_(self) -> str:
        header, rows = self._cells()
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
        body = "".join(
            "<tr>"
            + "".join(
                f'<td style="text-align:{"right" if i else "left"};white-space:pre">{html.escape(cell)}</td>'
                for i, cell in enumerate(row)
            )
            + "</tr>"
            for row in rows
        )
        notes = "<br>".join(html.escape(line) for line in self._summary())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{notes}</p>"

    def to_json(self) -> str:
        """All fields, derived ones included, as one JSON object."""
        record = asdict(self) | {"flops": self.flops, "intensity": self.intensity, "complete": self.complete}
        return json.dumps(record, indent=1)

    def to_pandas(self) -> pandas.DataFrame:
        """One row per module. Needs pandas."""
        import pandas

        derived = ("flops", "intensity")
        return pandas.DataFrame(
            [asdict(row) | {name: getattr(row, name) for name in derived} for row in self.rows]
        )

    def _cells(self, depth: int | None = None) -> tuple[list[str], list[list[str]]]:
        header = ["module", "type", "calls", "params", "MACs", "%", "read", "written", "FLOP/B", "peak"]
        timed = any(row.latency for row in self.rows)
        header += ["time"] if timed else []
        rows = []
        for row in self.rows:
            if depth is not None and row.depth > depth:
                continue
            share = 100 * row.macs / self.macs if self.macs else 0.0
            rows.append([
                "  " * row.depth + (row.name.rpartition(".")[2] if row.name else self._total_label()),
                row.kind, str(row.calls), si(row.params), si(row.macs), f"{share:.1f}",
                size(row.bytes_read), size(row.bytes_written), f"{row.intensity:.1f}",
                size(row.peak_activation_bytes),
            ])  # fmt: skip
            if timed:
                rows[-1].append(seconds(row.latency.median) if row.latency else "")
        return header, rows

    def _total_label(self) -> str:
        return "total" if self.complete else "total (INCOMPLETE)"

    def _summary(self) -> list[str]:
        backward = f" ({si(self.macs_backward)} backward)" if self.macs_backward else ""
        lines = [
            f"{si(self.macs)} MACs{backward} = {si(self.flops)} FLOPs; {si(self.params)} parameters, "
            f"{size(self.param_bytes)}; {size(self.bytes_read)} read, {size(self.bytes_written)} written; "
            f"{self.intensity:.1f} FLOP/B; peak activations {size(self.peak_activation_bytes)}"
        ]
        if self.latency:
            lines.append(f"latency {self.latency}")
        if self.macs_by_dtype.keys() <= MAC_PICOJOULES.keys():
            lines.append(f"energy {estimate(self.macs_by_dtype, self.bytes_moved)}")
        if not self.complete:
            lines.append(f"INCOMPLETE: {len(self.not_counted)} not counted, their MACs are missing:")
            lines += [f"  {miss}" for miss in self.not_counted]
        return lines


def energy(measurement: Measurement) -> Energy:
    """Estimated energy of a measured run: MACs by data type, and every byte moved charged to DRAM.

    Real caches keep some of the bytes from DRAM, so the memory part is a bound from above for its table.

    Raises:
        ValueError: for a data type that the table does not have (bfloat16, float64, ...).
    """
    return estimate(measurement.macs_by_dtype, measurement.bytes_moved)
