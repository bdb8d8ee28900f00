"""Writes the faces of all pictures in a folder into a table, a row each.

python examples/faces_in_pictures.py PICTURES faces.parquet
"""

import sys

import pyarrow as pa
import pyarrow.parquet as pq

import stream

pictures, table = sys.argv[1:]
model = stream.load()
rows = []
for frame, faces in model.annotate(pictures):  # a folder, a pattern or a list of pictures
    for face in faces:
        left, top, right, bottom = face.as_dict()["box"]
        row = {"file": str(frame.path), "left": left, "top": top, "right": right, "bottom": bottom}
        for attribute in model.attributes:
            label = face.labels.get(attribute)  # small faces have none
            row[attribute] = label and label.text  # None where the model is unsure
            row[f"{attribute}_confidence"] = label and label.confidence
        rows.append(row)
        print(row)
pq.write_table(pa.Table.from_pylist(rows), table)
