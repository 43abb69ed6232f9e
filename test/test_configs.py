"""The shipped configurations fit the code that reads them."""

import re
from pathlib import Path

import pytest
import yaml

from mdepth_ros.ros.parameters import SPECS, NodeParameters
from mdepth_ros.ros.publishers import TOPICS

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / 'config'


def flat(tree, prefix=''):
    """Nested parameters to dotted names."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f'{prefix}{key}.')
        else:
            yield prefix + key, value


def test_depth_yaml_has_every_parameter_with_its_default():
    tree = yaml.safe_load((CONFIG / 'depth.yaml').read_text())
    assert dict(flat(tree['/**']['ros__parameters'])) == {
        name: spec.default for name, spec in SPECS.items()}
    NodeParameters()


def test_depth_yaml_explains_every_parameter():
    lines = (CONFIG / 'depth.yaml').read_text().splitlines()
    texts = {lines[i - 1].strip() for i, line in enumerate(lines) if i}
    for spec in SPECS.values():
        tag = ' [dynamic]' if spec.dynamic else ''
        assert f'# {spec.text}{tag}' in texts, spec.name


def test_all_of_it_is_installed():
    setup = (ROOT / 'setup.py').read_text()
    for path in [*CONFIG.iterdir(), *(ROOT / 'launch').glob('*.py')]:
        assert f"'{path.relative_to(ROOT)}'" in setup, path.name


def test_rviz_shows_topics_that_exist():
    view = yaml.safe_load((CONFIG / 'mdepth.rviz').read_text())
    topics = [display['Topic']['Value'] for display in view['Visualization Manager']['Displays']
              if 'Topic' in display]
    assert topics
    assert set(topics) <= set(TOPICS)


def test_nav2_snippet():
    tree = yaml.safe_load((CONFIG / 'nav2_costmap.yaml').read_text())
    layer = tree['local_costmap']['local_costmap']['ros__parameters']['voxel_layer']
    source = layer[layer['observation_sources']]
    assert source['topic'].lstrip('/') in TOPICS
    # The values that the consumers' page asks for; a max_obstacle_height of 0 drops all points.
    assert source['max_obstacle_height'] > source['min_obstacle_height'] == 0.2
    assert (source['obstacle_max_range'], source['raytrace_max_range']) == (8.0, 6.0)
    assert (layer['z_voxels'], layer['z_resolution']) == (16, 0.05)


@pytest.mark.parametrize('name', ['package.xml', 'setup.cfg'])
def test_versions_agree(name):
    import mdepth_ros
    text = (ROOT / name).read_text()
    assert mdepth_ros.__version__ in text or 'attr: mdepth_ros.__version__' in text
    assert re.search('Apache-2.0', text)
