"""FIDs are predicted: give places, from 1 (best) to 4 (worst)."""

fid_ranking = {"none": 40.0, "reals only": 30.0, "D only": 20.0, "DiffAugment": 10.0}
