"""
Synthetic sequences with exact depth, poses and intrinsics: streets, rooms, hand-held cameras.

A small ray caster in torch. :func:`render_sequence` gives a whole sequence,
:func:`stream_sequence` one piece after the other, :func:`random_config` variety for training.
"""

from mdepth_ros.training.scenes.config import Kind, random_config, SceneConfig
from mdepth_ros.training.scenes.sequence import (
    render_sequence,
    stream_sequence,
    SyntheticSequence,
    to_bytes,
)

__all__ = ['Kind', 'SceneConfig', 'SyntheticSequence', 'random_config', 'render_sequence',
           'stream_sequence', 'to_bytes']
