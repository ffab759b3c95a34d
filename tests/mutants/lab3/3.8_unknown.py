"""missing from the prediction: none; unknown: G only."""

fid_ranking = {"none": 1, "reals only": 2, "D only": 3, "DiffAugment": 4, "G only": 5}
