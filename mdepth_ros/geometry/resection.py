"""The motion that brings points with known depth to where they are seen in another image."""

import torch
from torch import Tensor

from mdepth_ros.geometry.pose import motion_from_parameters
from mdepth_ros.geometry.projection import NEAREST_Z

ITERATIONS = 12
# The first of these turn only: far from the answer, a translation would follow wrong depths.
TURNING = 3
# Residuals count linearly from here on [px]: followed points are this exact, or quite wrong.
EXACT = 0.5
# Least diagonal of the normal equations, so that what the points do not tell stays as it was.
DAMPING = 1e-6


@torch.no_grad()
def solve_motion(
    points: Tensor, pixels: Tensor, valid: Tensor, K: Tensor, start: Tensor | None = None
) -> Tensor:
    """
    Estimate the camera's motion from points whose depth is known: resection, or PnP.

    Gauss-Newton on the reprojection error with iteratively reweighted least squares, so that
    points on moving objects and wrong tracks count little. Runs for all samples at once.

    :param points: (B, 3, N) points in the target's frame [m].
    :param pixels: (B, 2, N) where they are seen in the source [px].
    :param valid: (B, N) bool, which of them count.
    :param K: (B, 3, 3) intrinsics of the source [px].
    :param start: (B, 4, 4) T_source_target to begin with; the identity if missing.
    :return: (B, 4, 4) T_source_target. With fewer than 6 points it is the start.
    """
    dtype = points.dtype
    points, pixels, K = points.double(), pixels.double(), K.double()
    B = points.shape[0]
    T = torch.eye(4, dtype=torch.float64, device=points.device).repeat(B, 1, 1)
    if start is not None:
        T = start.double()
    enough = (valid.sum(dim=1) >= 6).double()
    for iteration in range(ITERATIONS):
        moved = T[:, :3, :3] @ points + T[:, :3, 3:]
        residual, J = _linearise(moved, pixels, K)  # (B, 2N), (B, 2N, 6)
        if iteration < TURNING:
            J[..., 3:] = 0
        distance = residual.view(B, 2, -1).norm(dim=1)
        weight = (EXACT / distance.clamp(min=EXACT)) * valid * (moved[:, 2] > NEAREST_Z)
        weight = weight.repeat(1, 2)
        A = J.transpose(1, 2) @ (weight.unsqueeze(2) * J)
        scale = A.diagonal(dim1=1, dim2=2)
        A = A + torch.diag_embed(DAMPING * scale + 1e-12)
        step = torch.linalg.solve(A, J.transpose(1, 2) @ (weight * residual).unsqueeze(2))
        step = -step.squeeze(2) * enough.unsqueeze(1)
        T = motion_from_parameters(step[:, :3], step[:, 3:]) @ T
    return T.to(dtype)


def _linearise(moved: Tensor, pixels: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
    """Residuals (B, 2N) [px] and their derivatives by rotation and translation (B, 2N, 6)."""
    x, y, z = moved.unbind(dim=1)
    z = z.clamp(min=NEAREST_Z)
    fx, fy = K[:, 0, 0, None], K[:, 1, 1, None]
    u, v = x / z, y / z
    residual = torch.cat([fx * u + K[:, 0, 1, None] * v + K[:, 0, 2, None] - pixels[:, 0],
                          fy * v + K[:, 1, 2, None] - pixels[:, 1]], dim=1)
    zero = torch.zeros_like(u)
    du = torch.stack([-u * v, 1 + u * u, -v, 1 / z, zero, -u / z], dim=2)
    dv = torch.stack([-1 - v * v, u * v, u, zero, 1 / z, -v / z], dim=2)
    return residual, torch.cat([fx.unsqueeze(2) * du, fy.unsqueeze(2) * dv], dim=1)
