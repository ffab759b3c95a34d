"""What does it cost? MACs, parameters, bytes, memory and time, of any model or function.

    from efficientlab.counters import measure, latency, compare

    print(measure(model, x))                        # one table per module, with what could not be counted
    print(compare({"ours": f, "theirs": g}))        # times as a ratio with an interval

MAC and FLOP are not the same: one multiply-accumulate is two floating-point operations.
"""

from efficientlab.counters.energy import Energy
from efficientlab.counters.latency import Comparison, Latency, Ratio, compare, latency, processor_time
from efficientlab.counters.measuring import count, measure
from efficientlab.counters.report import Cost, Measurement, ModuleRow, NotCounted, OpRow, energy
from efficientlab.counters.roofline import Roofline, plot_roofline, roofline

__all__ = [
    "Comparison",
    "Cost",
    "Energy",
    "Latency",
    "Measurement",
    "ModuleRow",
    "NotCounted",
    "OpRow",
    "Ratio",
    "Roofline",
    "compare",
    "count",
    "energy",
    "latency",
    "measure",
    "plot_roofline",
    "processor_time",
    "roofline",
]
