"""Trains a classifier on a folder of pictures per class, from Python; wants the extra `train`.

python examples/train_a_classifier.py faces/ mymodel/     faces/female/…, faces/male/…
face-stream run clip.mp4 --model mymodel/
"""

import sys
from pathlib import Path

from training.datasets import read_dataset
from training.evaluation.publish import publish
from training.features.extraction import extract_features
from training.features.extractor import ExtractionSettings, Extractor
from training.features.table_files import read_table
from training.fitting.fit import fit
from training.fitting.settings import FitSettings

faces, model = map(Path, sys.argv[1:])
features = model.with_name(f"{model.name}.parquet")
samples = read_dataset(faces, labels=["gender"])
settings = ExtractionSettings(aligned=samples.aligned, filmed=2)
extract_features(samples, features, Extractor(settings))
table = read_table(features)
report = publish(model, fit(table, FitSettings(classifier="logistic")), table)
print(f"accuracy {report['attributes']['gender']['accuracy']['value']:.3f}, see {model}/card.md")
