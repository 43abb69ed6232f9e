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

"""Render a sequence: all of it at once, or chunk by chunk."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from mdepth_ros.geometry.intrinsics import intrinsics_from_fov
from mdepth_ros.training.scenes.atlas import Atlas
from mdepth_ros.training.scenes.cast import (
    cast,
    make_rays,
    screen_rectangles,
    take_hits,
    take_rays,
)
from mdepth_ros.training.scenes.config import SceneConfig
from mdepth_ros.training.scenes.photographs import Photographs
from mdepth_ros.training.scenes.room import build_room
from mdepth_ros.training.scenes.shade import shade
from mdepth_ros.training.scenes.shapes import place
from mdepth_ros.training.scenes.street import build_street
from mdepth_ros.training.scenes.surface import find_surface, RoadMap, solid_table
from mdepth_ros.training.scenes.variation import vary
from mdepth_ros.training.scenes.world import keep_clear, make_plain, World
import numpy as np
import torch
from torch import Tensor

# Pixels rendered at once: enough to drown the overhead per solid, few enough for the caches.
_CHUNK_PIXELS = {'cpu': 330_000, 'cuda': 4_000_000}
_SHADE_PIXELS = {'cpu': 60_000, 'cuda': 4_000_000}


@dataclass(frozen=True)
class SyntheticSequence:
    """
    N frames with ground truth; a chunk of a sequence has the same form.

    ``images`` (N, 3, H, W) float32 in [0, 1]. ``depth`` (N, 1, H, W) float32 along the optical
    axis at the pixel's centre [m]; +inf in the sky: known to be beyond every range.
    ``T_world_camera`` (N, 4, 4) float32, optical frame, world z up. ``K`` (3, 3) [px].
    ``moving`` (N, 1, H, W) bool, pixels of objects that move in the world. ``stamps_ns`` (N,)
    int64, on the CPU.
    """

    images: Tensor
    depth: Tensor
    T_world_camera: Tensor
    K: Tensor
    moving: Tensor
    stamps_ns: Tensor


def to_bytes(images: Tensor) -> Tensor:
    """
    Round images to what a camera gives.

    :param images: any shape, in [0, 1].
    :return: the same shape, uint8.
    """
    return (images * 255).round().byte()


def build_world(
    config: SceneConfig, seed: int, photographs: Photographs | None = None
) -> World:
    """
    Build the world of a sequence, without rendering anything.

    :param config: the sequence.
    :param seed: the same seed gives the same world on every device.
    :param photographs: for some of the varied worlds' surfaces.
    :return: a world where nothing touches the camera.
    """
    rng = np.random.default_rng([seed, 0x5CE])
    build = build_street if config.kind == 'driving' else build_room
    world = build(config, rng)
    if config.varied:
        world = vary(world, config, rng, photographs)
    world = keep_clear(world)
    return make_plain(world) if config.textureless else world


def stream_sequence(
    config: SceneConfig, seed: int, device: torch.device | str = 'cpu', chunk: int | None = None,
    photographs: Photographs | None = None,
) -> Iterator[SyntheticSequence]:
    """
    Render a sequence piece by piece, so that a long one never is in memory.

    :param config: the sequence.
    :param seed: the same seed gives the same frames on the same device, whatever the chunk, up to
        the last bits of the arithmetic.
    :param device: where to render and to leave the frames.
    :param chunk: frames per piece; chosen for speed if None.
    :param photographs: as in :func:`build_world`.
    :return: the pieces, in order.
    :raises ValueError: if chunk is not positive.
    """
    device = torch.device(device)
    if chunk is None:
        budget = _CHUNK_PIXELS['cpu' if device.type == 'cpu' else 'cuda']
        chunk = max(1, budget // (config.width * config.height))
    if chunk < 1:
        raise ValueError(f'chunk must be at least 1, got {chunk}')
    world = build_world(config, seed, photographs)
    atlas = Atlas(torch.from_numpy(world.textures).permute(0, 3, 1, 2).float().to(device))
    road = RoadMap(world.ground, device) if world.ground.road is not None else None
    gains = _gains(config, seed)
    for start in range(0, config.frames, chunk):
        frames = np.arange(start, min(start + chunk, config.frames))
        with torch.no_grad():
            yield _render(config, seed, world, atlas, road, frames, gains[frames], device)


def render_sequence(
    config: SceneConfig, seed: int, device: torch.device | str = 'cpu',
    photographs: Photographs | None = None,
) -> SyntheticSequence:
    """
    Render a whole sequence.

    :param config: the sequence.
    :param seed: the same seed gives the same frames on the same device.
    :param device: where to render and to leave the frames.
    :param photographs: as in :func:`build_world`.
    :return: all frames.
    """
    return join(stream_sequence(config, seed, device, photographs=photographs))


def join(stream: Iterable[SyntheticSequence]) -> SyntheticSequence:
    """
    Put the pieces of a sequence together.

    :param stream: one or more, in order.
    :return: all their frames.
    """
    pieces = list(stream)
    joined = {field.name: torch.cat([getattr(piece, field.name) for piece in pieces])
              for field in fields(SyntheticSequence) if field.name != 'K'}
    return SyntheticSequence(K=pieces[0].K, **joined)


def _render(
    config: SceneConfig, seed: int, world: World, atlas: Atlas, road: RoadMap | None,
    frames: np.ndarray, gains: np.ndarray, device: torch.device,
) -> SyntheticSequence:
    """Render some frames."""
    H, W = config.height, config.width
    K = intrinsics_from_fov(config.horizontal_fov_deg, W, H)
    T = world.T_world_camera[frames]
    centres, yaws = place(world.solids, world.tracks, frames)
    rectangles = screen_rectangles(world.solids, centres, yaws, T, K.double().numpy(), H, W)
    seen = np.flatnonzero((rectangles[:, 0] < rectangles[:, 2])
                          & (rectangles[:, 1] < rectangles[:, 3]))
    solids = [world.solids[n] for n in seen]
    # Subtracted in double precision: the camera may be kilometres from the origin.
    offsets = _to(centres[:, seen] - T[:, None, :3, 3], device)
    turns = _to(yaws[:, seen], device)
    T_world_camera, K = _to(T, device), K.to(device)
    rays = make_rays(T_world_camera, K, H, W)
    hits = cast(rays, solids, offsets, turns, rectangles[seen])
    camera = T_world_camera[:, :3, 3, None, None]
    colours, moving = [], []
    # Casting likes many frames, for the overhead per solid; shading likes few, for the caches.
    step = max(1, _SHADE_PIXELS['cpu' if device.type == 'cpu' else 'cuda'] // (H * W))
    for low in range(0, len(frames), step):
        part = slice(low, low + step)
        some_rays, some_hits = take_rays(rays, part), take_hits(hits, part)
        surface = find_surface(
            some_rays, some_hits, solid_table(solids, world.ground, offsets[part], turns[part]),
            road, camera[part, 0], camera[part, 1])
        colours.append(shade(some_rays, some_hits, surface, world.light, world.ground, atlas,
                             camera[part], len(solids), world.grain_tile,
                             grain=not config.textureless))
        moving.append(surface.moving & (some_hits.index < len(solids)))
    images = torch.cat(colours) * _to(gains, device)[:, None, None, None]
    if config.noise > 0:
        images = images + config.noise * _sensor_noise(seed, frames, H, W, device)
    stamps_ns = torch.from_numpy(np.round(frames * (1e9 / config.fps)).astype(np.int64))
    return SyntheticSequence(images.clamp(0, 1), hits.depth[:, None], T_world_camera, K,
                             torch.cat(moving)[:, None], stamps_ns)


def _gains(config: SceneConfig, seed: int) -> np.ndarray:
    """Gain of each frame: 1, or wandering between 0.6 and 1.5 with a jump now and then."""
    if not config.exposure_change:
        return np.ones(config.frames)
    rng = np.random.default_rng([seed, 0xE4])
    t = np.arange(config.frames) / config.fps
    slow = 0.25 * np.sin(2 * np.pi * t / rng.uniform(2, 6) + rng.uniform(0, 2 * np.pi))
    jumps = rng.normal(0, 0.15, config.frames) * (rng.random(config.frames) < 0.05)
    jumps[0] = 0.0
    return np.exp(np.clip(slow + np.cumsum(jumps) * 0.8, np.log(0.6), np.log(1.5)))


def _sensor_noise(
    seed: int, frames: np.ndarray, height: int, width: int, device: torch.device
) -> Tensor:
    """Draw standard normal (F, 3, H, W) that depends on the frame and not on the chunk."""
    generator = torch.Generator(device=device)
    planes = []
    for frame in frames:
        generator.manual_seed(seed * 1_000_003 + int(frame))
        planes.append(torch.randn(3, height, width, generator=generator, device=device))
    return torch.stack(planes)


def _to(array: np.ndarray, device: torch.device) -> Tensor:
    """float32 copy on the device."""
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(device)
