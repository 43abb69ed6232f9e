"""The motion that brings points with known depth to where they are seen in another image."""

import torch
from torch import Tensor

from mdepth_ros.geometry.intrinsics import invert_intrinsics
from mdepth_ros.geometry.projection import NEAREST_Z

ITERATIONS = 12
# The first of these turn only: far from the answer, a translation would follow wrong depths.
TURNING = 3
# From this one on, points that are off count ever less: those of a person who walks by are many
# and agree with each other. Not before, when all points are off.
SHARP = 4
# A sample has arrived when a step moves its points by less than this [px].
ARRIVED = 0.02
# Larger residuals count linearly, then less [px]: followed points are this exact, or quite wrong.
EXACT = 0.5
# Standard deviation of the logarithm of the depths that are given: single-frame depth is no truth.
DEPTH_SPREAD = 0.3
STRETCHES = 3
# Least diagonal of the normal equations, so that what the points do not tell stays as it was.
DAMPING = 1e-6
FEWEST_POINTS = 6
# The (4, 4) twist of each parameter, row after row.
_TWISTS = torch.tensor([
    [0, 0, 0, 0, 0, 0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    [0, 0, 1, 0, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0],
    [0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
], dtype=torch.float64)


@torch.no_grad()
def solve_motion(
    points: Tensor, pixels: Tensor, valid: Tensor, K: Tensor, start: Tensor | None = None
) -> Tensor:
    """
    Estimate the camera's motion from points whose depth is known: resection, or PnP.

    Gauss-Newton on the reprojection error with iteratively reweighted least squares, so that
    points on moving objects and wrong tracks count little. Runs for all samples at once.

    Where the camera's translation moves a point, its residual along that direction may as well
    come from its depth, and counts the less the more it moves: between resection, for exact
    depths, and epipolar geometry, for unknown ones. The translation's length, which these
    residuals alone tell, is solved for at last with all of them counting alike.

    :param points: (B, 3, N) points in the target's frame [m].
    :param pixels: (B, 2, N) where they are seen in the source [px].
    :param valid: (B, N) bool, which of them count; those that are not finite never do.
    :param K: (B, 3, 3) intrinsics of the source [px].
    :param start: (B, 4, 4) T_source_target to begin with; the identity if missing.
    :return: (B, 4, 4) T_source_target. With fewer than 6 points it is the start.
    """
    dtype = points.dtype
    valid = valid & points.isfinite().all(dim=1) & pixels.isfinite().all(dim=1)
    # NaN times a weight of 0 would still be NaN.
    points, pixels = (torch.where(valid.unsqueeze(1), values.double(), 1.0)
                      for values in (points, pixels))
    K = K.double()
    T = (torch.eye(4, dtype=torch.float64, device=points.device).repeat(points.shape[0], 1, 1)
         if start is None else start.double())
    # The skew, if any, stays out of the derivatives: it is small.
    inv_K = invert_intrinsics(K)[:, :2]
    rays = inv_K[:, :, :2] @ pixels + inv_K[:, :, 2:]  # (B, 2, N)
    focal = K.diagonal(dim1=1, dim2=2)[:, :2].unsqueeze(2)  # (B, 2, 1)
    moving = (valid.sum(dim=1) >= FEWEST_POINTS).unsqueeze(1)  # (B, 1)
    valid = valid & moving
    for iteration in range(ITERATIONS):
        moved = torch.baddbmm(T[:, :3, 3:], T[:, :3, :3], points)
        residual, along, z = _residual(moved, T[:, :3, 3:], rays, focal)
        step, distance = _step(moved, residual, along, valid, focal / z,
                               unknowns=3 if iteration < TURNING else 6,
                               sharpness=2 if iteration >= SHARP else 1)
        T = _move(T, step * moving)
        if iteration >= SHARP:
            moving = moving & (distance > ARRIVED)
            if not moving.any():
                break
    for _ in range(STRETCHES):
        T = _stretch(T, points, rays, valid, focal)
    return T.to(dtype)


def unexplained(points: Tensor, pixels: Tensor, T: Tensor, K: Tensor) -> Tensor:
    """
    How far points are from where they are seen at the depth that explains this best.

    Depths may be wrong by two standard deviations, no more: a translation that is much too long
    would explain anything.

    :param points: (B, 3, N) points in the target's frame [m].
    :param pixels: (B, 2, N) where they are seen in the source [px].
    :param T: (B, 4, 4) T_source_target.
    :param K: (B, 3, 3) intrinsics of the source [px].
    :return: (B, N) distance [px].
    """
    inv_K = invert_intrinsics(K)[:, :2]
    moved = torch.baddbmm(T[:, :3, 3:], T[:, :3, :3], points)
    residual, along, _ = _residual(moved, T[:, :3, 3:], inv_K[:, :, :2] @ pixels + inv_K[:, :, 2:],
                                   K.diagonal(dim1=1, dim2=2)[:, :2].unsqueeze(2))
    by_depth = (residual * along).sum(dim=1, keepdim=True) / (
        (along ** 2).sum(dim=1, keepdim=True).clamp(min=1e-12))
    by_depth = by_depth.clamp(-2 * DEPTH_SPREAD, 2 * DEPTH_SPREAD)
    distance: Tensor = torch.linalg.vector_norm(residual - by_depth * along, dim=1)
    return distance


def _residual(
    moved: Tensor, translation: Tensor, rays: Tensor, focal: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """
    Compare points with where they are seen.

    Returns the residual (B, 2, N) [px], how the pixel moves with the logarithm of the point's
    depth in the target, likewise, and the points' z (B, 1, N).
    """
    z = moved[:, 2:].clamp(min=NEAREST_Z)
    x_and_y = moved[:, :2] / z
    turned = moved - translation
    along = (turned[:, :2] - x_and_y * turned[:, 2:]) / z * focal
    return (x_and_y - rays) * focal, along, z


def _step(
    moved: Tensor, residual: Tensor, along: Tensor, valid: Tensor, slope: Tensor, unknowns: int,
    sharpness: int,
) -> tuple[Tensor, Tensor]:
    """Axis-angle and translation (B, 3 or 6), and how far they move the points (B, 1) [px]."""
    residual = _doubt(residual, along)
    weight = _weight(residual, moved, valid) ** sharpness
    derivatives = _doubt(_derivatives(moved, slope)[:, :unknowns], along.unsqueeze(1))
    J = torch.cat([derivatives, residual.unsqueeze(1)], dim=1)  # (B, unknowns + 1, 2, N)
    products = (J * weight.unsqueeze(1)).flatten(2) @ J.flatten(2).transpose(1, 2)
    A, b = products[:, :-1, :-1].clone(), products[:, :-1, -1:]
    A.diagonal(dim1=1, dim2=2).mul_(1 + DAMPING).add_(1e-12)
    step = -torch.linalg.solve_ex(A, b)[0]
    squared = -(step * b).sum(dim=1) / weight.sum(dim=2).clamp(min=1e-12)
    return step.squeeze(2), squared.sqrt()


def _stretch(T: Tensor, points: Tensor, rays: Tensor, valid: Tensor, focal: Tensor) -> Tensor:
    """Change the translation's length alone: a longer one is like nearer points."""
    moved = torch.baddbmm(T[:, :3, 3:], T[:, :3, :3], points)
    residual, along, _ = _residual(moved, T[:, :3, 3:], rays, focal)
    weight = _weight(residual, moved, valid)
    change = (weight * residual * along).sum(dim=(1, 2)) / (
        (weight * along ** 2).sum(dim=(1, 2)).clamp(min=1e-12))
    stretched: Tensor = T.clone()
    stretched[:, :3, 3] *= change.clamp(-0.5, 0.5).exp().unsqueeze(1)
    return stretched


def _weight(residual: Tensor, moved: Tensor, valid: Tensor) -> Tensor:
    """Of each point (B, 1, N), as for least absolute distances."""
    weight: Tensor = EXACT / torch.linalg.vector_norm(residual, dim=1).clamp(min=EXACT)
    return (weight * (valid & (moved[:, 2] > NEAREST_Z))).unsqueeze(1)


def _doubt(values: Tensor, along: Tensor) -> Tensor:
    """Shrink the part (..., 2, N) that an error of the depth could make."""
    square = (along ** 2).sum(dim=-2, keepdim=True)
    shrunk = 1 - 1 / (1 + square * (DEPTH_SPREAD / EXACT) ** 2).sqrt()
    return values - along * ((values * along).sum(dim=-2, keepdim=True)
                             * shrunk / square.clamp(min=1e-12))


def _move(T: Tensor, step: Tensor) -> Tensor:
    """
    Move on by axis-angle and, where it has six values, translation.

    By Cayley's transform of the twist: like its exponential a motion, equal to second order, and
    for a small matrix much cheaper.
    """
    half = (step @ _TWISTS[:step.shape[1]].to(step.device)).view(-1, 4, 4) / 2
    one = torch.eye(4, dtype=step.dtype, device=step.device)
    moved: Tensor = torch.linalg.solve_ex(one - half, (one + half) @ T)[0]
    return moved


def _derivatives(moved: Tensor, slope: Tensor) -> Tensor:
    """Of the pixels (B, 2, N) by axis-angle and translation, (B, 6, 2, N); slope is f / z."""
    x_and_y = moved[:, :2] / moved[:, 2:].clamp(min=NEAREST_Z)
    zero = torch.zeros_like(slope[:, 0])
    by_translation = torch.stack([
        torch.stack([slope[:, 0], zero], dim=1),
        torch.stack([zero, slope[:, 1]], dim=1), -x_and_y * slope], dim=1)  # (B, 3, 2, N)
    by_rotation = torch.linalg.cross(moved.unsqueeze(2), by_translation, dim=1)
    return torch.cat([by_rotation, by_translation], dim=1)
