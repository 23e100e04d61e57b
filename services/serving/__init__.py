"""The serving service: ONNX models of a registry over the Open Inference Protocol, swapped without a failed request."""
