"""Counts people by perceived class, with pandas, from the table of tracks that a run leaves.

pip install pandas
face-stream run clip.mp4 --log out.csv --no-show     writes out.csv and out.tracks.csv
python examples/count_people.py out.tracks.csv       or out.tracks.parquet
"""

import sys

import pandas as pd

path = sys.argv[1]
people = pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path)
people["seconds"] = people["last_s"] - people["first_s"]

seen = people[people["quality"] > 0.1]  # tracks seen too poorly for a label are left out
for attribute in ("gender", "race"):
    groups = seen.assign(perceived=seen[attribute].fillna("unsure")).groupby("perceived")
    print(groups.agg(people=("track", "size"), median_s=("seconds", "median")), "\n")
print(f"{len(people) - len(seen)} of {len(people)} tracks were seen too poorly to count")
