"""Synthetic worlds as frames folders: rendered once, read by many trainings."""

from pathlib import Path

import cv2
import numpy as np

from mdepth_ros.training.datasets.frames_index import (
    FILE_NAME,
    FrameEntry,
    FramesIndex,
    write_index,
)
from mdepth_ros.training.synthetic import SyntheticSequence

# 16 bit reach 131 m, and are finer than any network.
DEPTH_UNIT_M = 0.002
DEEPEST = 65535


def write_sequence(sequence: SyntheticSequence, folder: Path) -> None:
    """
    Write a rendered sequence; ``frames.json`` comes last, so that half a folder is none.

    The sky, and what is farther than 131 m, has no depth there.

    :param sequence: frames on the CPU.
    :param folder: made if it is not there.
    """
    for name in ('image', 'depth', 'moving'):
        (folder / name).mkdir(parents=True, exist_ok=True)
    images = (sequence.images * 255).round().byte().permute(0, 2, 3, 1).numpy()
    depths, moving = sequence.depth[:, 0].numpy(), sequence.moving[:, 0].numpy()
    entries = []
    for i, image in enumerate(images):
        file = f'{i:06d}.png'
        units = np.round(depths[i] / DEPTH_UNIT_M)
        cv2.imwrite(str(folder / 'image' / file), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(folder / 'depth' / file),
                    np.where(units <= DEEPEST, units, 0).astype(np.uint16))
        cv2.imwrite(str(folder / 'moving' / file), moving[i].astype(np.uint8) * 255)
        entries.append(FrameEntry(
            f'image/{file}', int(sequence.stamps_ns[i]), f'depth/{file}',
            T_world_camera=sequence.T_world_camera[i].double().numpy(), moving=f'moving/{file}'))
    height, width = images.shape[1:3]
    write_index(FramesIndex(width, height, sequence.K.double().numpy(), tuple(entries),
                            depth_unit_m=DEPTH_UNIT_M), folder / FILE_NAME)
