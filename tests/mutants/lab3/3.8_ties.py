"""two variants share a place: give each of 1, 2, 3 and 4 once."""

fid_ranking = {"none": 2, "reals only": 3, "D only": 3, "DiffAugment": 1}
