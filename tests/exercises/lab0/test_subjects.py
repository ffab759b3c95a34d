"""The things that lab 0's checks put under a student's meters do what they say."""

import pytest
import torch

from efficientlab.counters import count
from efficientlab.exercises.lab0 import lab
from efficientlab.exercises.lab0.counting import SUBJECTS
from efficientlab.exercises.lab0.subjects import SimulatedDevice, network, subject_inputs


@pytest.mark.parametrize("kind", SUBJECTS)
def test_expected_macs_are_those_of_the_operators(kind):
    """The recorded answers add up to what the counter sees below the layers, where nothing can be missed."""
    for case in lab.recorded("0.4"):
        if case.inputs["kind"] == kind:
            n, c, side = (int(case.inputs[key]) for key in ("n", "c", "side"))
            expected = sum(
                value
                for key, value in case.expected.items()
                if key.startswith("the number of MACs") and not isinstance(value, bool)
            )
            measured = count(network(kind, c), *subject_inputs(kind, n, c, side))
            assert measured.complete
            assert measured.macs == expected > 0


def test_a_network_that_raises_does():
    with pytest.raises(RuntimeError, match="on purpose"):
        network("raises", 2)(torch.zeros(1, 2, 2, 2))


def test_the_device_works_while_python_goes_on():
    device = SimulatedDevice([0.5, 0.1], launch=0.01)
    device.run()
    assert device.clock() == 0.01  # only the launch
    device.synchronise()
    assert device.clock() == pytest.approx(0.51)
    device.run()
    device.run()  # the last entry holds on
    device.synchronise()
    assert device.clock() == pytest.approx(0.51 + 0.01 + 0.1 + 0.1)
    assert device.calls == 3


def test_the_device_may_be_busy_at_first():
    device = SimulatedDevice([0.1], launch=0.0, busy=1.0)
    device.run()
    assert device.clock() == 0
    device.synchronise()
    assert device.clock() == pytest.approx(1.1)
