"""Another order, as floating-point numbers."""

fid_ranking = {"none": 4.0, "reals only": 2.0, "D only": 3.0, "DiffAugment": 1.0}
