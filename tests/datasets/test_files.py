import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from efficientlab.datasets import files

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package folder in tmp_path with a small data folder beside it, as in a checkout."""
    (tmp_path / "efficientlab").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.bin").write_bytes(b"hello")
    row = {"sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "bytes": 5}
    (tmp_path / "data" / "manifest.json").write_text(json.dumps({"files": {"a.bin": row}}))
    monkeypatch.setattr(files, "_PACKAGE", tmp_path / "efficientlab")
    return tmp_path


def test_every_shipped_file_passes_its_checks():
    for name in files.manifest():
        assert files.data_path(name) == DATA / name


def test_nothing_ships_without_a_row():
    licences = {
        found
        for row in files.manifest().values()
        for found in re.findall(r"licences/[\w-]+\.txt", row["licence"])
    }
    about = {"README.md", "manifest.json"} | licences
    shipped = {
        p.relative_to(DATA).as_posix()
        for p in DATA.rglob("*")
        if p.is_file() and p.suffix not in (".py", ".pyc", ".mjs")
    }
    assert shipped == set(files.manifest()) | about


def test_the_data_stays_small():
    sizes = {name: row["bytes"] for name, row in files.manifest().items()}
    assert sizes["sprites.npz"] < 1_000_000
    assert sum(size for name, size in sizes.items() if name.startswith("backgrounds/")) <= 1_500_000


def test_the_table_in_the_readme_is_the_manifest(monkeypatch):
    monkeypatch.syspath_prepend(DATA)
    import manifest

    assert manifest.table(files.manifest()) in (DATA / "README.md").read_text(encoding="utf-8")
    sys.modules.pop("manifest")


def test_every_file_names_source_licence_and_the_script_that_makes_it():
    for name, row in files.manifest().items():
        assert row["source"], name
        assert re.match(
            r"(MIT|BSD 3-clause|Apache-2\.0|CC0|CC BY [34]\.0|public domain)\b", row["licence"]
        ), name
        _, *script = row["make"].split()
        module = f"{script[1].replace('.', '/')}.py" if script[0] == "-m" else script[0]
        assert (ROOT / module).is_file(), name


def test_a_data_folder_inside_the_package_comes_first(package):
    assert files.data_path("a.bin") == package / "data" / "a.bin"
    shutil.copytree(package / "data", package / "efficientlab" / "data")
    assert files.data_path("a.bin") == package / "efficientlab" / "data" / "a.bin"


def test_missing_data_folder_is_named(package):
    shutil.rmtree(package / "data")
    with pytest.raises(
        FileNotFoundError, match=r"data is missing: no manifest\.json in .*install efficientlab again"
    ):
        files.data_path("a.bin")


def test_missing_file_is_named_with_path_and_fix(package):
    (package / "data" / "a.bin").unlink()
    with pytest.raises(
        FileNotFoundError, match=r"data file a\.bin is missing at .*a\.bin; install efficientlab again"
    ):
        files.data_path("a.bin")


def test_unknown_name_lists_the_known_ones(package):
    with pytest.raises(
        FileNotFoundError, match=r"no shipped data file is called 'b\.bin'; there are a\.bin\."
    ):
        files.data_path("b.bin")


def test_a_file_of_another_size_is_damaged(package):
    (package / "data" / "a.bin").write_bytes(b"hello!")
    with pytest.raises(ValueError, match=r"a\.bin is damaged: it has 6 bytes, expected 5; install"):
        files.data_path("a.bin")


def test_a_changed_byte_is_found_even_after_a_good_read(package):
    files.data_path("a.bin")
    (package / "data" / "a.bin").write_bytes(b"hallo")
    with pytest.raises(
        ValueError, match=r"a\.bin is damaged: its sha256 is d3751d33f9cd…, expected 2cf24dba5fb0…"
    ):
        files.data_path("a.bin")


@pytest.mark.parametrize("text", ["{", "{}"])
def test_a_damaged_manifest_is_named(package, text):
    (package / "data" / "manifest.json").write_text(text)
    with pytest.raises(ValueError, match=r"manifest\.json is damaged .*install efficientlab again"):
        files.manifest()
