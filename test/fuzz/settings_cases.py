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

"""Broken settings: the recipes of training, and the parameters of the node."""

from pathlib import Path

from mdepth_ros.ros.depth_node import DepthNode
from mdepth_ros.ros.start import what_ros_refuses
from mdepth_ros.training.ablation.config import AblationConfig
from mdepth_ros.training.loop.recipe import load_recipe
from mdepth_ros.training.loop.settings_file import read_settings
from mutate import changed_yaml
import rclpy
from rclpy.context import Context
from rclpy.lifecycle import TransitionCallbackReturn
import yaml

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(path for path in (ROOT / 'training').rglob('*.yaml')
                 if path.name != 'ablation.yaml')


def recipe(rng, base, weights, folder):
    """Change a recipe, or the size of an ablation."""
    path = folder / 'in/recipe.yaml'
    if rng.random() < 0.2:
        path.write_bytes(_changed(rng, ROOT / 'training/synthetic/ablation.yaml'))
        return lambda: read_settings(AblationConfig, 'ablation', path) and 'loaded'
    path.write_bytes(_changed(rng, rng.choice(RECIPES)))
    return lambda: load_recipe(path) and 'loaded'


def node_parameters(rng, base, weights, folder):
    """Change a parameters file, as the launch file passes it on."""
    path = folder / 'in/depth.yaml'
    tree = yaml.safe_load((ROOT / 'config/depth.yaml').read_text())
    tree['/**']['ros__parameters'] |= {
        'weights': str(weights), 'device': 'cpu', 'backend': 'torch', 'network': {
            'width': 64, 'height': 64, 'pixel_budget': 4096}}
    path.write_bytes(changed_yaml(rng, tree))
    return lambda: _configure(path)


def _changed(rng, path):
    return changed_yaml(rng, yaml.safe_load(path.read_text()))


def _configure(path):
    """Start a node with the file, and configure it, which may fail but must say so."""
    context = Context()
    try:
        with what_ros_refuses():
            rclpy.init(args=['--ros-args', '--params-file', str(path)], context=context)
            node = DepthNode(context=context)
        try:
            answer = node.trigger_configure()
            # rclpy turns any exception of the node into this.
            assert answer != TransitionCallbackReturn.ERROR, 'configure raised, see the log'
            return f'configure: {answer.name}'
        finally:
            node.destroy_node()
    finally:
        rclpy.try_shutdown(context=context)
