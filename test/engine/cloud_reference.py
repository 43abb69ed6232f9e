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

"""The clouds for navigation as slow, obvious loops over pixels, in double precision."""

import math


def inverse(depth, row, column):
    """Inverse depth of the nearest pixel of the image; 0 for NaN and Inf, huge for -Inf."""
    z = depth[min(max(row, 0), len(depth) - 1)][min(max(column, 0), len(depth[0]) - 1)]
    return 0.0 if math.isnan(z) else 1.0 / max(z, 1e-3)


def flies(depth, row, column, tolerance):
    """Whether a pixel is between a nearer surface and a farther one beside it."""
    here = inverse(depth, row, column)
    nearer = farther = False
    for dy, dx in ((0, -4), (0, 4), (-4, 0), (4, 0)):
        beside = inverse(depth, row + dy, column + dx)
        continued = 2 * beside - inverse(depth, row + 2 * dy, column + 2 * dx)
        nearer |= min(beside, continued) > (1 + tolerance) * here
        farther |= beside < (1 - tolerance) * here
    return nearer and farther


def navigation_pixels(depth, inv_K, confidence, keep):
    """
    Pixels of the navigation cloud, {(row, column): point}.

    :param depth: rows of depths [m], nested lists, as the confidence.
    """
    first = {}
    for row in range(0, len(depth), keep.stride):
        for column in range(0, len(depth[0]), keep.stride):
            z = depth[row][column]
            if not (math.isfinite(z) and z > 0 and confidence[row][column] >= keep.min_confidence):
                continue
            point = ray(inv_K, row, column, z)
            if (keep.min_range <= math.hypot(*point) <= keep.max_range
                    and not flies(depth, row, column, keep.edge_tolerance)):
                cell = (tuple(math.floor(x / keep.voxel_size) for x in point) if keep.voxel_size
                        else (row, column))
                first.setdefault(cell, ((row, column), point))
    return dict(first.values())


def clearing_pixels(depth, inv_K, confidence, keep):
    """Pixels of the clearing cloud, {(row, column): end of its ray}."""
    ends = {}
    for row in range(0, len(depth), keep.stride):
        for column in range(0, len(depth[0]), keep.stride):
            z = depth[row][column]
            if not (z > 0 and confidence[row][column] >= keep.min_confidence):
                continue
            length = math.hypot(*ray(inv_K, row, column, 1.0))
            if z * length >= keep.min_range and not flies(depth, row, column, keep.edge_tolerance):
                ends[row, column] = ray(inv_K, row, column, min(z, keep.max_range / length))
    return ends


def ray(inv_K, row, column, z):
    """Return the point of a pixel at a depth."""
    return [z * (a * column + b * row + c) for a, b, c in inv_K]
