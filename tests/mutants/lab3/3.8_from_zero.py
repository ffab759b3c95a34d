"""the places are counted from 0: the best is 1."""

fid_ranking = {"none": 1, "reals only": 3, "D only": 2, "DiffAugment": 0}
