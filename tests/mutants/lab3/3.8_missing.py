"""missing from the prediction: reals only; unknown: none."""

fid_ranking = {"none": 1, "D only": 2, "DiffAugment": 3}
