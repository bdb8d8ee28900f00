"""A feature table → fitted, calibrated heads as ONNX files."""
