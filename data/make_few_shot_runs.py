"""Make data/few_shot_runs.json: the long runs whose curves lab 3 shows beside its own.

    python benchmarks/lab3_seeds.py && python data/make_few_shot_runs.py

The first trains them, the second puts them where an installed package finds them.
"""

from pathlib import Path

from manifest import ROOT, record, write

SOURCE = ROOT.parent / "benchmarks" / "results" / "lab3-seeds.json"
OUT = Path(__file__).parent / "few_shot_runs.json"


def main() -> None:
    write(OUT, SOURCE.read_text(encoding="utf-8"))
    record(
        OUT,
        what="curves of lab 3's GANs over seeds and training set sizes",
        source="benchmarks/lab3_seeds.py, on Fashion-MNIST's shipped subset",
        licence="MIT (LICENSE)",
        make="python data/make_few_shot_runs.py",
    )


if __name__ == "__main__":
    main()
