import numpy as np
import pytest

from efficientlab.datasets.points.scans import METRES_PER_STEP, beams_to_points, load_scan, scan_names

SCANS = {name: load_scan(name) for name in scan_names()}
BEAMS = {"crossing": 32, "lot": 128, "office": 128, "street": 128}


def test_the_shipped_scans_are_these():
    assert {name: len(scan.distances) for name, scan in SCANS.items()} == BEAMS


@pytest.mark.parametrize("scan", SCANS.values(), ids=lambda scan: scan.name)
def test_every_return_is_a_point(scan):
    count = int((scan.distances > 0).sum())
    assert scan.points.shape == (count, 3)
    assert scan.reflectivity.shape == scan.beam.shape == (count,)
    assert scan.points.dtype == scan.reflectivity.dtype == scan.distances.dtype == np.float32
    assert np.isfinite(scan.points).all()
    assert scan.reflectivity.min() >= 0 and scan.reflectivity.max() <= 1
    np.testing.assert_array_equal(
        np.bincount(scan.beam, minlength=len(scan.distances)), (scan.distances > 0).sum(1)
    )


@pytest.mark.parametrize("scan", SCANS.values(), ids=lambda scan: scan.name)
def test_points_lie_at_their_measured_distance(scan):
    """The arm and the height move a point by no more than their lengths, a few centimetres."""
    distances = np.sort(scan.distances[scan.distances > 0])
    radii = np.sort(np.linalg.norm(scan.points, axis=1))
    assert np.abs(radii - distances).max() < 0.08


@pytest.mark.parametrize("name", ["crossing", "lot", "street"])
def test_outdoors_the_ground_is_the_most_common_height(name):
    """Among the points within 20 m, one horizontal layer below the sensor stands out."""
    points = SCANS[name].points
    near = points[np.linalg.norm(points[:, :2], axis=1) < 20]
    counts, edges = np.histogram(near[:, 2], bins=np.arange(-4, 4, 0.1))
    assert -3 < edges[counts.argmax()] < -0.5
    assert counts.max() > 2.5 * np.median(counts[counts > 0])


@pytest.mark.parametrize("scan", SCANS.values(), ids=lambda scan: scan.name)
def test_neighbouring_columns_are_neighbouring_angles(scan):
    """A distance image with every row at its own angle varies less from row to row than one without."""
    seen = (scan.distances[1:] > 0) & (scan.distances[:-1] > 0)
    aligned = np.abs(np.diff(scan.distances, axis=0))[seen]
    moved = np.stack([np.roll(row, 8 * (i % 2)) for i, row in enumerate(scan.distances)])
    seen = (moved[1:] > 0) & (moved[:-1] > 0)
    assert np.median(aligned) < np.median(np.abs(np.diff(moved, axis=0))[seen])


def test_a_beam_ahead_and_one_upwards():
    """Column 0 looks along the head's x axis, which is the sensor's -x; column W / 4 along the head's -y."""
    distance = np.full((2, 4), 5.0)
    points = beams_to_points(distance, np.radians([0, 90]), np.zeros(2), arm=0.0, height=0.2)
    np.testing.assert_allclose(points[0, 0], [-5, 0, 0.2], atol=1e-12)
    np.testing.assert_allclose(points[0, 1], [0, 5, 0.2], atol=1e-12)
    np.testing.assert_allclose(points[1], np.tile([0, 0, 5.2], (4, 1)), atol=1e-12)


def test_a_beam_starts_at_the_end_of_its_arm():
    points = beams_to_points(np.array([[3.0]]), np.array([0.0]), np.radians([90.0]), arm=1.0, height=0.0)
    np.testing.assert_allclose(points[0, 0], [-1, 2, 0], atol=1e-12)


def test_distances_are_multiples_of_the_stored_step():
    steps = SCANS["lot"].distances / METRES_PER_STEP
    np.testing.assert_allclose(steps, np.rint(steps), atol=2e-2)


def test_the_points_are_the_ones_that_were_compared_with_the_sdk():
    """`data/make_scans.py` compared them when the files were made; these are the centres of the clouds since."""
    centres = {
        "crossing": [1.0080, 0.9108, -0.0724],
        "lot": [0.1127, 1.8601, 0.5904],
        "office": [-0.4556, 1.0631, -0.7210],
        "street": [-0.4192, -0.8085, 0.5883],
    }
    for name, centre in centres.items():
        np.testing.assert_allclose(SCANS[name].points.mean(0, dtype=np.float64), centre, atol=2e-4)


def test_an_unknown_scan_is_refused_by_name():
    with pytest.raises(
        ValueError, match="no scan is called 'garden'; there are crossing, lot, office, street"
    ):
        load_scan("garden")
