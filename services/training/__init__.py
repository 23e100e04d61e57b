"""The training pipeline: a training set in, a judged and registered ONNX model out."""
