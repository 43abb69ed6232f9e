"""What runs the networks: PyTorch, CUDA graphs, OpenVINO, ONNX Runtime."""

import sys

# OpenVINO's converter reports every conversion to its makers over the network, from copies of this
# process that it starts for that: compiling takes twice as long, and the first frames are slow.
# Where this package cannot be imported it does neither.
sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]
