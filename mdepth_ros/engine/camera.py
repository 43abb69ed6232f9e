# Copyright 2026 mdepth_ros maintainers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""The camera of an image as it arrives: size, intrinsics, distortion, rectification."""

from collections.abc import Sequence
from dataclasses import dataclass, field
import math

from mdepth_ros.errors import BadCamera
from mdepth_ros.geometry.intrinsics import intrinsics_from_fov, resize_intrinsics
import numpy as np
from numpy.typing import NDArray
import torch

Matrix = NDArray[np.float64]

# How many coefficients each model may have. The two polynomials are one list in OpenCV, cut off
# earlier or later, and drivers fill a plumb_bob up with zeros.
COEFFICIENTS: dict[str, tuple[int, ...]] = {
    '': (0,),
    'plumb_bob': (0, 4, 5, 8, 12, 14),
    'rational_polynomial': (0, 8, 12, 14),
    'equidistant': (4,),
}
# Calibration files print few digits, so a rotation's columns are only nearly orthonormal.
ROTATION_TOLERANCE = 1e-2
# Autofocus moves the intrinsics from image to image; this much of them is a pixel or two.
SAME_LENS = 5e-3


@dataclass(frozen=True, eq=False)
class Camera:
    """
    A calibrated camera, with binning and region of interest already applied.

    :param width: image width [px].
    :param height: image height [px].
    :param K: (3, 3) intrinsics of the image as it arrives [px].
    :param distortion: (n,) coefficients in the order of ``distortion_model``.
    :param distortion_model: ``plumb_bob``, ``rational_polynomial``, ``equidistant``, or empty,
        for which the coefficients are all zeros; where P is known any other, too: such images can
        be used once they are rectified.
    :param R: (3, 3) rotation from the camera to its rectified frame.
    :param P: (3, 4) projection of the rectified frame [px]; all zeros where it is not known.
    :raises BadCamera: naming everything that is wrong.
    """

    width: int
    height: int
    K: Matrix
    distortion: Matrix = field(default_factory=lambda: np.zeros(0))
    distortion_model: str = ''
    R: Matrix = field(default_factory=lambda: np.eye(3))
    P: Matrix = field(default_factory=lambda: np.zeros((3, 4)))

    def __post_init__(self) -> None:
        problems = []
        for name, shape in (('K', (3, 3)), ('distortion', (-1,)), ('R', (3, 3)), ('P', (3, 4))):
            # A private, read-only copy: the camera is a cache key.
            values = np.array(getattr(self, name), dtype=np.float64)
            if len(values.shape) != len(shape) or (shape[0] > 0 and values.shape != shape):
                problems.append(f'{name} must be {_shape_text(shape)}, got {values.shape}')
            elif not np.isfinite(values).all():
                problems.append(f'{name} must be finite, got {values.tolist()}')
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if not self.distortion_model and self.distortion.ndim == 1 and not self.distortion.any():
            # As many zeros as there may be: simulators name no model for them.
            object.__setattr__(self, 'distortion', self.distortion[:0])
        if self.width <= 0 or self.height <= 0:
            problems.append(f'width and height must be > 0, got {self.width} x {self.height}')
        if self.can_undistort or not self.P.any():
            problems += _distortion_problems(self.distortion_model, self.distortion.size)
        if not problems:
            problems = _matrix_problems(self.K, self.R, self.P)
        if problems:
            raise BadCamera('camera: ' + '; '.join(problems))

    @classmethod
    def from_fov(cls, width: int, height: int, horizontal_fov_deg: float) -> 'Camera':
        """
        Build an ideal camera: square pixels, principal point in the middle, no distortion.

        :param width: image width [px].
        :param height: image height [px].
        :param horizontal_fov_deg: angle between the image's left and right edge [deg].
        :raises BadCamera: if the angle is not in (0, 180) or the size is not positive.
        """
        try:
            K = intrinsics_from_fov(horizontal_fov_deg, width, height)
        except ValueError as error:
            raise BadCamera(f'camera: {error}') from error
        return cls(width, height, K.double().numpy())

    @property
    def can_undistort(self) -> bool:
        """Whether the distortion model is one of ours."""
        return self.distortion_model in COEFFICIENTS

    @property
    def has_distortion(self) -> bool:
        """Whether a raw image differs from a pinhole's; zeros may differ in other models."""
        zeros_are_none = self.distortion_model in COEFFICIENTS.keys() - {'equidistant'}
        return not zeros_are_none or bool(self.distortion.any())

    @property
    def needs_rectification(self) -> bool:
        """Whether a raw image differs from the rectified one, whose intrinsics are P's."""
        turned_or_scaled = self.P.any() and not (
            np.allclose(self.P[:, :3], self.K) and np.allclose(self.R, np.eye(3)))
        return self.has_distortion or bool(turned_or_scaled)

    @property
    def horizontal_fov_deg(self) -> float:
        """Angle between the left and right edge of the rectified image [deg]."""
        K = self.rectified_K()
        left, right = K[0, 2] + 0.5, self.width - 0.5 - K[0, 2]
        return math.degrees(math.atan(left / K[0, 0]) + math.atan(right / K[0, 0]))

    def rectified_K(self) -> Matrix:
        """Return the (3, 3) intrinsics of the rectified image: P's, or K where P is zero [px]."""
        return self.P[:, :3] if self.P.any() else self.K

    def is_nearly(self, other: 'Camera') -> bool:
        """Whether images of the other one may pass for images of this one."""
        if self == other:
            return True
        return ((self.width, self.height, self.distortion_model, self.distortion.size)
                == (other.width, other.height, other.distortion_model, other.distortion.size)
                and all(np.allclose(mine, its, rtol=SAME_LENS, atol=SAME_LENS) for mine, its in (
                    (self.K, other.K), (self.distortion, other.distortion), (self.R, other.R),
                    (self.P, other.P))))

    def _key(self) -> tuple[object, ...]:
        """Everything that makes two cameras differ."""
        arrays = (self.K, self.distortion, self.R, self.P)
        # + 0.0 turns -0.0 into 0.0, which compares equal but has other bytes.
        return (self.width, self.height, self.distortion_model,
                *((array + 0.0).tobytes() for array in arrays))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Camera) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


def resized_camera(camera: Camera, width: int, height: int) -> Camera:
    """
    Return the camera of the rectified image at another resolution.

    :param camera: camera of the image as it arrives.
    :param width: output width [px].
    :param height: output height [px].
    :return: camera with K equal to P's left part, R identity, no distortion. P keeps its fourth
        column (a stereo baseline), scaled like the image.
    """
    K = resize_matrix(camera.rectified_K(), width / camera.width, height / camera.height)
    offset = camera.P[:, 3:] * [[width / camera.width], [height / camera.height], [1.0]]
    return Camera(width, height, K, P=np.hstack([K, offset]))


def resize_matrix(K: Matrix, scale_x: float, scale_y: float) -> Matrix:
    """
    Follow an image resize in double precision, see :func:`resize_intrinsics`.

    :param K: (3, 3) intrinsics before the resize [px].
    :param scale_x: new width / old width.
    :param scale_y: new height / old height.
    :return: (3, 3) intrinsics after the resize [px].
    """
    return np.asarray(resize_intrinsics(torch.tensor(K), scale_x, scale_y).numpy())


def _distortion_problems(model: str, count: int) -> list[str]:
    """Check the distortion model's name and its number of coefficients."""
    if model not in COEFFICIENTS:
        return [f'unknown distortion_model {model!r}, known are {sorted(COEFFICIENTS)}']
    if count not in COEFFICIENTS[model]:
        expected = ' or '.join(map(str, COEFFICIENTS[model]))
        return [f'distortion_model {model!r} needs {expected} coefficients, got {count}']
    return []


def _matrix_problems(K: Matrix, R: Matrix, P: Matrix) -> list[str]:
    """Check finite matrices of the right shapes."""
    problems = []
    if not K.any():
        return ['not calibrated: K is all zeros']
    for name, matrix in (('K', K), ('P', P[:, :3])):
        if name == 'P' and not P.any():
            continue
        if not (matrix[0, 0] > 0.0 and matrix[1, 1] > 0.0):
            problems.append(f'{name} must have fx > 0 and fy > 0, '
                            f'got {matrix[0, 0]:g} and {matrix[1, 1]:g}')
        if matrix[1, 0] != 0.0 or matrix[2].tolist() != [0.0, 0.0, 1.0]:
            problems.append(f'{name} must be upper triangular with last row 0 0 1, '
                            f'got {matrix.tolist()}')
    # A product of entries that are far too large is Inf or NaN, which is no rotation either.
    with np.errstate(over='ignore', invalid='ignore'):
        is_rotation = (np.abs(R @ R.T - np.eye(3)).max() <= ROTATION_TOLERANCE
                       and float(np.linalg.det(R)) >= 0.0)
    if not is_rotation:
        problems.append(f'R must be a rotation, got {R.tolist()}')
    return problems


def _shape_text(shape: Sequence[int]) -> str:
    """Print a shape, n for any size."""
    return '(' + ', '.join('n' if size < 0 else str(size) for size in shape) + ')'
