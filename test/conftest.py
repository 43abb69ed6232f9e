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

"""Fixtures for the whole suite; every run has a DDS domain of its own, on this machine only."""

import os
import shutil
import tempfile

import pytest

# Two workers of one run must not hear each other; domains above 101 share ports with programs.
os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
WORKER = os.environ.get('PYTEST_XDIST_WORKER', 'gw0')
# And 0 is the user's own.
os.environ['ROS_DOMAIN_ID'] = str(
    1 + (int(os.environ['ROS_DOMAIN_ID']) + 50 * int(WORKER[2:])) % 101)
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
# As Humble does always.
os.environ['ROS_PYTHON_CHECK_FIELDS'] = '1'
# Tiny tensors gain nothing from threads, and threads that share a core wait for each other.
os.environ.setdefault('OMP_NUM_THREADS', '1')
# Compiled networks: one folder for all tests and their processes, and not the user's.
os.environ['XDG_CACHE_HOME'] = tempfile.mkdtemp(prefix='mdepth_test_cache_')


def pytest_unconfigure():
    shutil.rmtree(os.environ['XDG_CACHE_HOME'], ignore_errors=True)


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same random numbers whatever ran before."""
    import torch

    torch.manual_seed(4711)  # tests that choose a seed themselves must not get the same networks


@pytest.fixture(scope='module')
def in_torch():
    """Leave OpenVINO out, which takes seconds for each of the many new weights of training."""
    from mdepth_ros.engine.backends import choose

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, 'find_spec', lambda name: None)
        yield


@pytest.fixture(scope='session')
def tiny_weights(tmp_path_factory):
    """Save a lite checkpoint with random weights, enough for everything but depth."""
    from mdepth_ros.config import lite_config
    from mdepth_ros.networks.checkpoint import save_checkpoint
    from mdepth_ros.networks.depth_model import DepthModel
    import torch

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp('weights') / 'random.safetensors'
    save_checkpoint(DepthModel(lite_config()), path, torch.float16)
    return path
