"""Counts the faces that cross a line, and those in a zone, by gender, with supervision.

pip install supervision
python examples/zones_and_lines.py clip.mp4
"""

import sys
from collections import Counter

import numpy as np
import supervision as sv

import stream

source = stream.open_source(sys.argv[1])
width, height = source.info.size_wh
middle, centre = width // 2, [sv.Position.CENTER]
line = sv.LineZone(sv.Point(middle, 0), sv.Point(middle, height), triggering_anchors=centre)
left_half = np.array([[0, 0], [middle, 0], [middle, height], [0, height]])
zone = sv.PolygonZone(left_half, triggering_anchors=centre)
inside: Counter[str] = Counter()  # frames with a face in the zone, by its label
for frame, tracks in stream.annotate(source):
    faces = sv.Detections(**stream.to_arrays(tracks.visible))
    for direction, crossed in zip(("right", "left"), line.trigger(faces), strict=True):
        for track_id in faces.tracker_id[crossed]:
            print(f"{frame.time_s:.2f} s: track {track_id} goes to the {direction}")
    inside.update(label or "unsure" for label in faces.data["gender"][zone.trigger(faces)])
print(
    f"{line.in_count} to the right, {line.out_count} to the left; in the left half {dict(inside)}"
)
