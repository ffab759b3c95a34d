"""a prediction is a word: write the place as a number, from 1 (best) to 4 (worst)."""

fid_ranking = {"none": "second", "reals only": 4, "D only": 3, "DiffAugment": 1}
