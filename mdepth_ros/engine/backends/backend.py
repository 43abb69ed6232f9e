"""What the estimator asks of a backend."""

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

Outputs = tuple[Tensor, ...]


class Backend(Protocol):
    """
    Runs the parts of a model, see :mod:`mdepth_ros.networks.parts`; inputs decide on sizes.

    One that ``compiles`` takes seconds when a part first meets a size.
    """

    name: str
    compiles: bool
    device: torch.device

    def start(self, part: str, *inputs: Tensor) -> Callable[[], Outputs]:
        """
        Begin to run a part, beside the caller where the backend can.

        :param part: its name; not begun again before the answer was taken.
        :param inputs: float32 on this backend's device, left alone until then.
        :return: waits for the part and returns its outputs: float32, not used again by the
            backend.
        """
