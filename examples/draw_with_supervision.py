"""Draws faces, labels and the way that each face went, in the style of supervision.

pip install supervision
python examples/draw_with_supervision.py clip.mp4 out.mp4
"""

import sys

import supervision as sv

import stream

clip, out = sys.argv[1:]
by_track = {"color_lookup": sv.ColorLookup.TRACK}  # a colour for each person
boxes, texts = sv.RoundBoxAnnotator(**by_track), sv.LabelAnnotator(**by_track)
traces = sv.TraceAnnotator(**by_track)
model = stream.load()
with sv.VideoSink(out, sv.VideoInfo.from_video_path(clip)) as sink:
    for frame, tracks in model.annotate(clip):
        faces = sv.Detections(**stream.to_arrays(tracks))
        words = [
            f"#{track.track_id} " + ", ".join(map(str, track.labels.values())) for track in tracks
        ]
        picture = boxes.annotate(frame.image.copy(), faces)  # a frame must not be written to
        picture = traces.annotate(picture, faces)
        sink.write_frame(texts.annotate(picture, faces, labels=words))
