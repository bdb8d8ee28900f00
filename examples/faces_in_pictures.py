"""Prints the faces of one picture, or of a folder of pictures, and writes them as a table.

python examples/faces_in_pictures.py PICTURES faces.parquet
"""

import sys

import pyarrow as pa
import pyarrow.parquet as pq

import stream

pictures, table = sys.argv[1:]
rows = []
for frame, tracks in stream.annotate(pictures):
    for track in tracks:
        left, top, right, bottom = (round(float(edge)) for edge in track.box_xyxy)
        row = {"file": str(frame.path), "left": left, "top": top, "right": right, "bottom": bottom}
        for attribute, label in track.labels.items():  # empty where the face is too small
            row[attribute] = label.text  # None where the model is unsure
            row[f"{attribute}_confidence"] = label.confidence
        rows.append(row)
        print(row)

columns = dict.fromkeys(name for row in rows for name in row)  # small faces lack labels
pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in columns}), table)
