"""
Synthetic sequences with exact depth, poses and intrinsics: streets, rooms, hand-held cameras.

A small ray caster in torch. :func:`render_sequence` gives a whole sequence,
:func:`stream_sequence` one piece after the other, :func:`random_config` variety for training.
"""

from mdepth_ros.training.scenes.config import Kind, SceneConfig, random_config
from mdepth_ros.training.scenes.sequence import (
    SyntheticSequence,
    render_sequence,
    stream_sequence,
    to_bytes,
)

__all__ = ['Kind', 'SceneConfig', 'SyntheticSequence', 'random_config', 'render_sequence',
           'stream_sequence', 'to_bytes']
