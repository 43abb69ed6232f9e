"""Depth [m], inverse depth [1/m] and the networks' disparity in (0, 1)."""

from torch import Tensor

MIN_DEPTH = 0.1
MAX_DEPTH = 100.0


def disparity_to_depth(
    disparity: Tensor, min_depth: float = MIN_DEPTH, max_depth: float = MAX_DEPTH
) -> Tensor:
    """
    Turn a sigmoid output into depth: 1/depth = 1/max + disparity (1/min - 1/max).

    :param disparity: any shape, values in [0, 1]; 0 is the far end.
    :param min_depth: depth at disparity 1 [m].
    :param max_depth: depth at disparity 0 [m].
    :return: depth of the same shape [m].
    :raises ValueError: unless 0 < min_depth < max_depth.
    """
    _check_range(min_depth, max_depth)
    return 1.0 / (1.0 / max_depth + disparity * (1.0 / min_depth - 1.0 / max_depth))


def depth_to_disparity(
    depth: Tensor, min_depth: float = MIN_DEPTH, max_depth: float = MAX_DEPTH
) -> Tensor:
    """
    Invert :func:`disparity_to_depth`.

    :param depth: any shape [m].
    :param min_depth: depth at disparity 1 [m].
    :param max_depth: depth at disparity 0 [m].
    :return: disparity of the same shape; outside [0, 1] where depth is outside the range.
    :raises ValueError: unless 0 < min_depth < max_depth.
    """
    _check_range(min_depth, max_depth)
    return (1.0 / depth - 1.0 / max_depth) / (1.0 / min_depth - 1.0 / max_depth)


def _check_range(min_depth: float, max_depth: float) -> None:
    """Refuse an empty or negative range."""
    if not 0.0 < min_depth < max_depth:
        raise ValueError(f'need 0 < min_depth < max_depth, got {min_depth} and {max_depth}')
