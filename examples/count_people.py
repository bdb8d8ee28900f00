"""Counts the people of a video by what they are perceived as, with pandas.

pip install pandas
python examples/count_people.py clip.mp4
"""

import sys
import tempfile
from pathlib import Path

import pandas as pd

import stream

with tempfile.TemporaryDirectory() as folder:
    summary = stream.process(sys.argv[1], log=Path(folder, "log.parquet"))  # as `face-stream run`
    people = pd.read_parquet(Path(folder, "log.tracks.parquet"))  # a row each; the log: each face
people["seconds"] = people["last_s"] - people["first_s"]

seen = people[people["quality"] > 0.1]  # tracks seen too poorly for a label are left out
for attribute in ("gender", "race"):
    groups = seen.assign(perceived=seen[attribute].fillna("unsure")).groupby("perceived")
    print(groups.agg(people=("track", "size"), median_s=("seconds", "median")), "\n")
print(f"{len(people) - len(seen)} of {len(people)} tracks were seen too poorly to count")
print(*summary.failures, sep="\n")  # what went wrong on the way
