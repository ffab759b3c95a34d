"""Make data/scans/*.npz: single turns of LiDAR sensors, out of the recordings that test Ouster's SDK.

    python data/make_scans.py CACHE

Downloads the SDK's source distribution (38 MB), which holds the recordings, and its wheel, which decodes them,
into the folder CACHE with pip; nothing is installed elsewhere. What is stored: distances in steps of 8 mm as
uint16 (H, W), reflectivity as uint8 (H, W), and the angles of the H beams in degrees. The points that
`efficientlab.datasets.points.scans` computes from them are compared with the SDK's own.
"""

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
from manifest import ROOT, record

from efficientlab.datasets.points.scans import METRES_PER_STEP, beams_to_points

ARCHIVE, SHA256 = (
    "ouster_sdk-1.0.1.tar.gz",
    "b0d623b7965c529356b626c137d21effe18b4a47e9cb2a89f55113f375a259a8",
)
TESTS = "ouster_sdk-1.0.1/sdk/tests/"
SCANS = {  # name: (what it shows, recording, turn)
    "lot": ("paved lot between buildings", "pcaps/OS-1-128_v2.3.0_1024x10_lb_n3", 1),
    "street": ("street with a side street", "pcaps/OS-2-128-U1_v2.3.0_1024x10", 0),
    "crossing": ("street crossing", "pcaps/OS-1-32-G_v2.1.1_1024x10", 0),
    "office": ("desk in an office", "osfs/OS-0-128_v3.0.1_1024x10_20241017_141645", 1),
}


def fetch(cache: Path) -> Path:
    """Folder of the SDK's recordings; the SDK itself becomes importable."""
    archive, library = cache / ARCHIVE, cache / "library"
    pip = [sys.executable, "-m", "pip"]
    if not archive.exists():
        source = ["--no-deps", "--no-binary=:all:", "--dest", str(cache), "ouster-sdk==1.0.1"]
        subprocess.run([*pip, "download", *source], check=True)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise ValueError(
            f"{archive} is not the archive that the scans were made from; delete it and try again."
        )
    if not library.exists():
        subprocess.run([*pip, "install", "--target", str(library), "ouster-sdk==1.0.1"], check=True)
    with tarfile.open(archive) as source:
        members = [m for m in source.getmembers() if m.name.startswith((TESTS + "pcaps/", TESTS + "osfs/"))]
        source.extractall(cache, members, filter="data")
    sys.path.insert(0, str(library))
    return cache / TESTS


def turn_of(recording: Path, number: int) -> object:
    """One turn of a recording, as the SDK's frame."""
    from ouster.sdk import open_source

    for index, frames in enumerate(open_source(str(recording))):
        if index == number:
            return next(frame for frame in frames if frame is not None)
    raise ValueError(f"{recording.name} has no turn {number}.")


def main(cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    tests = fetch(cache)
    from ouster.sdk.core import XYZLut

    for name, (place, stem, number) in SCANS.items():
        path = next(
            tests / f"{stem}{suffix}" for suffix in (".pcap", ".osf") if (tests / f"{stem}{suffix}").exists()
        )
        frame = turn_of(path, number)
        info, millimetres = frame.sensor_info, frame.field("RANGE")  # (H, W)
        steps = np.rint(millimetres / (1000 * METRES_PER_STEP))
        if steps.max() > np.iinfo(np.uint16).max:
            raise ValueError(f"{name}: a distance does not fit into 16 bits.")
        arm, height = info.lidar_origin_to_beam_origin_mm / 1000, info.lidar_to_sensor_transform[2, 3] / 1000
        altitude, azimuth = np.asarray(info.beam_altitude_angles), np.asarray(info.beam_azimuth_angles)
        seen = steps > 0
        ours = beams_to_points(
            steps * METRES_PER_STEP, np.radians(altitude), np.radians(azimuth), arm, height
        )
        error = np.abs(ours - XYZLut(info)(frame))[seen].max()
        if error > METRES_PER_STEP:
            raise ValueError(f"{name}: points differ from the SDK's by {error:.4f} m.")
        out = ROOT / "scans" / f"{name}.npz"
        out.parent.mkdir(exist_ok=True)
        partial = out.with_suffix(".part.npz")
        np.savez_compressed(
            partial,
            distance=steps.astype(np.uint16),
            reflectivity=frame.field("REFLECTIVITY").astype(np.uint8),
            altitude=altitude.astype(np.float32),
            azimuth=azimuth.astype(np.float32),
            arm_and_height=np.array([arm, height], np.float32),
        )
        partial.replace(out)
        record(
            out,
            what=f"LiDAR scan, {place}: one turn of {len(steps)} beams × {steps.shape[1]} angles, "
            f"{int(seen.sum()):,} returns",
            source=f"{info.prod_line} recording {path.name} of PyPI's ouster-sdk 1.0.1",
            licence="BSD 3-clause (licences/ouster-sdk.txt)",
            make="python data/make_scans.py CACHE",
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
