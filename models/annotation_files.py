"""What pictures with marked faces are called that one half writes, people correct, and the other
half reads: files, columns and controls.
"""

PICTURES_FOLDER = "pictures"
"""Folder of the pictures, beside the file of their marks."""

CSV_FILE = "annotations.csv"
"""The table of all faces, a row each."""

COCO_FILE = "annotations.json"
"""All faces as COCO has them."""

LABEL_STUDIO_FILE = "tasks.json"
"""All pictures as tasks for Label Studio, before anyone has looked at them."""

LABEL_STUDIO_CONFIG = "interface.xml"
"""What Label Studio is to ask for each face."""

BOX_COLUMNS = ("left", "top", "right", "bottom")
"""The columns of a box in a table, px of the picture."""

CONFIDENCE = "_confidence"
"""What the name of a label is followed by in that of the column which says how sure it is."""

IDENTITY = "identity"
"""What the name of the person of a face is called."""

SPLIT = "split"
"""What the half is called that a face is of, where people say that."""

FRAME_CONTROL = "frame"
"""What Label Studio calls the picture of a task."""

BOX_CONTROL = "face_box"
"""What it calls the boxes; any other control of a box is named after its attribute."""
