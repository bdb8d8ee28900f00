"""What both halves share: detectors, aligner, embedder, classifier, model folders, ONNX Runtime."""

import os

# ONNX Runtime from 1.32 on reports its use to its maker, and keeps a number for that in the user's
# home; read when it is first imported, so set before. A user's own choice stands.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
