"""Energy of arithmetic and memory traffic, from a published table. An estimate: no meter was read.

Source: M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014, figure 1.1.9:
a 45 nm process at 0.9 V. Newer processes need several times less, but the ratios that the table is
quoted for have held: one fp32 number from DRAM costs as much as about a hundred fp32 MACs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MAC_PICOJOULES = {  # one multiplication + one addition
    "float32": 3.7 + 0.9,
    "float16": 1.1 + 0.4,
    "int32": 3.1 + 0.1,
    "int8": 0.2 + 0.1,  # products of 8 bits, summed in 32
}
DRAM_PICOJOULES_PER_BYTE = (1300 / 8, 2600 / 8)  # 1.3 to 2.6 nJ for 64 bits


@dataclass(frozen=True)
class Energy:
    """Joules of the arithmetic, and the range for the memory traffic if all of it reaches DRAM."""

    compute: float
    memory_low: float
    memory_high: float

    def __str__(self) -> str:
        return (
            f"{self.compute * 1e3:.3g} mJ arithmetic, {self.memory_low * 1e3:.3g} to "
            f"{self.memory_high * 1e3:.3g} mJ DRAM traffic (estimated: 45 nm, Horowitz 2014)"
        )


def estimate(macs_by_dtype: Mapping[str, int], bytes_moved: int) -> Energy:
    """The energy of so many MACs of each data type, and of so many bytes if every one goes to DRAM.

    Raises:
        ValueError: for a data type that the table does not have (bfloat16, float64, ...).
    """
    unknown = [dtype for dtype in macs_by_dtype if dtype not in MAC_PICOJOULES]
    if unknown:
        raise ValueError(
            f"the energy table has no {', '.join(unknown)}; it has {', '.join(MAC_PICOJOULES)} (Horowitz, 2014)"
        )
    compute = sum(macs * MAC_PICOJOULES[dtype] for dtype, macs in macs_by_dtype.items())
    low, high = (bytes_moved * per_byte for per_byte in DRAM_PICOJOULES_PER_BYTE)
    return Energy(compute * 1e-12, low * 1e-12, high * 1e-12)
