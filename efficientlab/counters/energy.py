"""The energy of a measured run, estimated."""

from __future__ import annotations

from efficientlab.counters.picojoules import Energy, estimate
from efficientlab.counters.report import Measurement


def energy(measurement: Measurement) -> Energy:
    """Estimated energy of a measured run: MACs by data type, and every byte moved charged to DRAM.

    Real caches keep some of the bytes from DRAM, so the memory part is a bound from above for its table.

    Raises:
        ValueError: for a data type that the table does not have (bfloat16, float64, ...).
    """
    return estimate(measurement.macs_by_dtype, measurement.bytes_moved)
