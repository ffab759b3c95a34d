"""Streets: seeded, equal everywhere, and with nothing inside anything else."""

import dataclasses
import hashlib
from itertools import combinations

import numpy as np
import pytest
from distance import signed_distance

from efficientlab.datasets.streets.layout import AREAS
from efficientlab.datasets.streets.scene import Scene, draw_scene, turned
from efficientlab.datasets.streets.solids import Pose
from efficientlab.datasets.streets.things import KINDS, LABELS

SCENES = [draw_scene(seed) for seed in range(40)]


def arrays(scene: Scene) -> dict[str, np.ndarray]:
    parts = (scene.solids, scene.things, scene.areas)
    return {f"{type(p).__name__}.{k}": v for p in parts for k, v in vars(p).items()}


def corners(scene: Scene, i: int) -> np.ndarray:
    """(4, 2) of a thing on the plan."""
    x, y, yaw = *scene.things.centre[i, :2], scene.things.yaw[i]
    half = scene.things.size[i, :2] / 2
    turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
    return np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * half @ turn.T + (x, y)


def apart(a: np.ndarray, b: np.ndarray) -> bool:
    """Does an edge of one of two rectangles separate them?"""
    for edges in (a, b):
        for normal in (edges[0] - edges[1], edges[1] - edges[2]):
            one, two = a @ normal, b @ normal
            if one.max() < two.min() or two.max() < one.min():
                return True
    return False


def test_a_seed_draws_the_same_street_again_and_another_does_not() -> None:
    again = arrays(draw_scene(3))
    assert all(np.array_equal(v, again[k]) for k, v in arrays(SCENES[3]).items())
    assert not np.array_equal(SCENES[3].things.centre, SCENES[4].things.centre)
    assert draw_scene([5, 1, 2]).seed == (5, 1, 2)


def test_a_street_is_the_same_on_every_machine() -> None:
    """Recorded once: lengths in tenths of a millimetre, of five streets."""
    digest = hashlib.sha256()
    for scene in SCENES[:5]:
        for name, value in sorted(arrays(scene).items()):
            whole = np.rint(value * 20_000).astype("<i8")  # half extents are multiples of 0.05 mm
            digest.update(name.encode() + whole.tobytes())
    assert digest.hexdigest()[:16] == "3cbf3f088f630221"


def test_tilt_turns_the_rig_and_nothing_else() -> None:
    flat = draw_scene(3, tilt=0.0)
    assert np.array_equal(flat.turn, np.eye(3))
    assert all(np.array_equal(v, arrays(flat)[k]) for k, v in arrays(SCENES[3]).items())
    tilts = np.array([np.arccos(s.turn[2, 2]) for s in SCENES])
    assert 0.01 < tilts.mean() < tilts.max() < 0.05 * 2**0.5 + 1e-9
    down = turned(0.1, 0.0) @ (1.0, 0.0, 0.0)
    left = turned(0.0, 0.1) @ (0.0, 1.0, 0.0)
    assert down[2] < 0 < left[2]


def test_every_kind_and_every_area_occurs() -> None:
    things = np.concatenate([s.things.kind for s in SCENES])
    assert (np.bincount(things, minlength=len(KINDS)) > 40).all()
    assert set(np.concatenate([s.areas.kind for s in SCENES])) == set(range(len(AREAS)))
    assert set(np.concatenate([s.solids.label for s in SCENES])) == set(range(1, len(LABELS)))


def test_streets_are_not_mirrored() -> None:
    """Traffic keeps to the right: the rig stands right of the centre line, and what comes towards it is left."""
    for areas in (s.areas for s in SCENES):
        for line in np.flatnonzero(areas.kind == AREAS.index("divider"))[
            :1
        ]:  # of the main road, if it has one
            sine, cosine = np.sin(areas.yaw[line]), np.cos(areas.yaw[line])
            assert sine * areas.centre[line, 0] - cosine * areas.centre[line, 1] < -0.5
    towards = [(np.cos(s.things.yaw) < -0.9) & (s.things.kind < 2) for s in SCENES]
    y = np.concatenate([s.things.centre[t, 1] for s, t in zip(SCENES, towards, strict=True)])
    assert (y > 0).mean() > 0.65  # some of the others are parked


def test_the_rig_stands_clear() -> None:
    for scene in SCENES:
        above = np.array([[0.0, 0.0, z] for z in (0.3, 1.0, 1.8, 2.5)])
        assert signed_distance(scene.solids, above).min() > 0.5


def test_a_thing_contains_its_parts() -> None:
    for scene in SCENES[:10]:
        solids, things = scene.solids, scene.things
        for k in np.flatnonzero(solids.thing >= 0):
            i = solids.thing[k]
            away = np.abs(solids.centre[k, :2] - things.centre[i, :2])
            assert np.hypot(*away) <= np.hypot(*things.size[i, :2]) / 2
            top = solids.centre[k, 2] + solids.half[k, 2]
            assert top <= things.centre[i, 2] + things.size[i, 2] / 2 + 1e-3
            assert LABELS[solids.label[k]] == {"taxi": "car"}.get(
                KINDS[things.kind[i]], KINDS[things.kind[i]]
            )
        numbers = np.unique(solids.thing[solids.thing >= 0])
        assert np.array_equal(numbers, np.arange(len(things)))


def test_no_two_things_overlap_and_none_stands_in_a_house() -> None:
    overlapping = inside = total = 0
    for scene in SCENES:
        outline = [corners(scene, i) for i in range(len(scene.things))]
        total += len(outline)
        overlapping += sum(
            not apart(outline[i], outline[j])
            for i, j in combinations(range(len(outline)), 2)
            if np.linalg.norm(scene.things.centre[i] - scene.things.centre[j]) < 5
        )
        house = scene.solids.label == LABELS.index("building")
        points = np.concatenate([np.c_[c, np.ones(4)] for c in outline])
        inside += (signed_distance(scene.solids, points)[:, house] < 0).any(1).sum()
    assert overlapping == 0
    assert inside == 0


def test_a_pose_in_a_pose() -> None:
    outer, inner = Pose(1.0, 2.0, np.pi / 2), Pose(3.0, 1.0, 0.5)
    assert outer.of(inner) == pytest.approx((0.0, 5.0, np.pi / 2 + 0.5))
    assert outer.inverse().of(outer.of(inner)) == pytest.approx(inner)


def test_wrong_arguments_are_named() -> None:
    for seed in (-1, [], [3, -2]):
        with pytest.raises(ValueError, match="a seed is one or more numbers that are not negative; got"):
            draw_scene(seed)
    with pytest.raises(ValueError, match=r"tilt must not be negative, got -0\.1"):
        draw_scene(0, tilt=-0.1)


def test_scenes_are_values() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        SCENES[0].seed = (1,)  # type: ignore[misc]
