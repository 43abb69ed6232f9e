"""Points and colours as the bytes of a PointCloud2."""

import cv2
import numpy as np
from numpy.typing import NDArray


def pack_points(points: NDArray[np.float32], rgb: NDArray[np.uint8],
                packed: NDArray[np.float32]) -> None:
    """
    Write x y z rgb as PCL does: the bytes b g r 0 in the place of a little-endian float.

    :param points: (3, H, W) float32 [m].
    :param rgb: (H, W, 3) uint8 colours.
    :param packed: (H, W, 4) float32, filled in place: NumPy's strided assignments take several
        times as long as OpenCV's.
    """
    colours = np.zeros((*rgb.shape[:2], 4), np.uint8)
    cv2.mixChannels([rgb], [colours], [0, 2, 1, 1, 2, 0])
    cv2.merge([*points, colours.view(np.float32)[..., 0]], packed)
