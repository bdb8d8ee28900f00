"""Reacts to a live camera: prints when a face appears, gets a label, and leaves.

python examples/camera_events.py 0          a camera; Ctrl-C ends it, and a clip works too
"""

import sys

import stream

GONE_S = 2.0  # time out of sight after which a face has left

last_seen: dict[int, float] = {}  # track → time in s
perceived: dict[int, str | None] = {}  # track → label
for frame, tracks in stream.annotate(sys.argv[1]):  # of a camera always the newest
    for track in tracks:
        if track.track_id not in last_seen:
            print(f"{frame.time_s:.1f} s: track {track.track_id} appears")
        if not track.missed_frames:
            last_seen[track.track_id] = frame.time_s
        label = track.labels.get("gender")
        if label and perceived.get(track.track_id) != label.text:
            perceived[track.track_id] = label.text
            print(f"{frame.time_s:.1f} s: track {track.track_id} is perceived as {label.text}")
    for track_id in [each for each, at in last_seen.items() if frame.time_s - at > GONE_S]:
        print(f"{frame.time_s:.1f} s: track {track_id} has left")
        del last_seen[track_id]
