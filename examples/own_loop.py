"""Draws in a loop of one's own, and records (and with --show shows) the result with OpenCV.

python examples/own_loop.py clip.mp4 out.mp4 [--show]
"""

import sys

import cv2

import stream

clip, out, *show = sys.argv[1:]
config = stream.load_config(overrides=["overlay.scale=1.5"])  # ./config.toml, then this
source = stream.open_source(clip, config)
overlay = stream.Overlay(config.overlay)
writer = cv2.VideoWriter(
    out, cv2.VideoWriter.fourcc(*"mp4v"), source.info.fps or 25, source.info.size_wh
)
for frame, tracks in stream.annotate(source, config):  # closes the source at the end
    picture = overlay.draw(frame.image, tracks)
    writer.write(picture)  # without sound, at a fixed rate; `face-stream run --save` keeps both
    if show:
        cv2.imshow("own loop", picture)
        if cv2.waitKey(1) == 27:  # Esc
            break
writer.release()
