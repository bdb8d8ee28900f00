"""Follows faces in a loop of one's own with OpenCV, and records (with --show shows) the result.

python examples/own_loop.py clip.mp4 out.mp4 [--show]
"""

import sys

import cv2

import stream

clip, out, *show = sys.argv[1:]
model = stream.load(stream.load_config({"overlay": {"scale": 1.5}}))  # over ./config.toml
overlay = model.overlay()
capture = cv2.VideoCapture(clip)
fps = capture.get(cv2.CAP_PROP_FPS)
size_wh = [int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
writer = cv2.VideoWriter(out, cv2.VideoWriter.fourcc(*"mp4v"), fps, size_wh)
count = 0
while (read := capture.read())[0]:
    tracks = model.track(read[1], count / fps)  # of a camera: time.monotonic()
    picture = overlay.draw(read[1], tracks)
    writer.write(picture)  # without sound; `face-stream run --save` keeps it
    count += 1
    if show:
        cv2.imshow("own loop", picture)
        if cv2.waitKey(1) == 27:  # Esc
            break
capture.release()
writer.release()
