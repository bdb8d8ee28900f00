"""Counts the faces that cross a line in the middle of the picture, with supervision.

pip install supervision
python examples/line_crossings.py clip.mp4
"""

import sys

import supervision as sv

import stream

source = stream.open_source(sys.argv[1])
width, height = source.info.size_wh
line = sv.LineZone(
    start=sv.Point(width // 2, 0),
    end=sv.Point(width // 2, height),
    triggering_anchors=[sv.Position.CENTER],
)
for frame, tracks in stream.annotate(source):
    faces = sv.Detections(**stream.to_arrays([each for each in tracks if not each.missed_frames]))
    to_the_right, to_the_left = line.trigger(faces)
    for direction, crossed in (("right", to_the_right), ("left", to_the_left)):
        for track_id in faces.tracker_id[crossed]:
            print(f"{frame.time_s:.2f} s: track {track_id} goes to the {direction}")
print(f"{line.in_count} to the right, {line.out_count} to the left")
