"""Prints the faces of one picture and what they are perceived as, and draws them.

python examples/one_picture.py photo.jpg annotated.png
"""

import sys

import cv2

import stream

picture, out = sys.argv[1:]
model = stream.load()  # once, for any number of pictures
faces = model.analyze(picture)  # a path, bytes, a NumPy array in BGR, or a PIL image
for number, face in enumerate(faces, 1):
    left, top, right, bottom = face.box_xyxy.round().astype(int)
    print(f"{number}: {right - left} × {bottom - top} px at {left}, {top}, score {face.score:.2f}")
    for attribute, label in face.labels.items():  # none where the face is too small
        print(f"   {attribute}: {label}")  # text is None where the model is unsure
cv2.imwrite(out, faces.draw())
