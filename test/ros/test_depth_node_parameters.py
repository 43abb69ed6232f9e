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

"""Parameters at the start and while running: applied whole, or refused with a reason."""

from harness import ACTIVATE, CLEANUP, CONFIGURE, DEACTIVATE, Harness, STEP, wait_for
from mdepth_ros.ros.parameters import SPECS
import pytest
from rcl_interfaces.msg import Log

CHANGES = {'scale.value': 2.5, 'scale.wait': True, 'depth.encoding': '16UC1',
           'depth.size': 'input', 'depth.min': 0.5, 'depth.max': 20.0, 'color.near': 0.5,
           'color.far': 9.0, 'filtered.rate': 0.0, 'filtered.stride': 3, 'filtered.voxel': 0.1,
           'filtered.min_range': 0.7, 'filtered.max_range': 7.0, 'filtered.min_confidence': 0.0,
           'filtered.edge_tolerance': 0.5, 'clearing.enabled': True, 'clearing.stride': 3,
           'clearing.range': 7.0, 'odometry.frame_id': 'world',
           'weights': 'x', 'device': 'cuda', 'backend': 'torch', 'threads': 1,
           'network.pixel_budget': 5000, 'network.width': 128,
           'network.height': 128, 'image_transport': 'compressed', 'image_is_rectified': False,
           'camera_info.exact_stamp': True, 'camera_info.timeout': 2.0, 'max_gap': 2.0,
           'method': 'published', 'sources': 3,
           'scale.mode': 'odometry', 'scale.camera_height': 1.2, 'scale.camera_pitch': 5.0,
           'scale.ground_tolerance': 10.0, 'odometry.publish_tf': True, 'diagnostics.rate': 2.0}


@pytest.fixture(scope='module')
def node(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        yield h


@pytest.mark.parametrize('name', SPECS)
def test_every_parameter_has_text_and_limits(node, name):
    descriptor = node.node.describe_parameter(name)
    assert len(descriptor.description) > 20
    assert 'read in configure' in descriptor.additional_constraints or (
        'may change while running' in descriptor.additional_constraints)
    value = node.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        limits = [*descriptor.integer_range, *descriptor.floating_point_range]
        assert len(limits) == 1
        assert limits[0].from_value <= SPECS[name].default <= limits[0].to_value


@pytest.mark.parametrize('name', SPECS)
def test_dynamic_parameters_change_while_active_and_the_others_say_why_not(node, name):
    before = node.get(name)
    successful, reason = node.set(**{name: CHANGES[name]})
    if SPECS[name].dynamic:
        assert successful, reason
        assert node.get(name) == CHANGES[name]
        assert node.set(**{name: before})[0]
    else:
        assert not successful
        assert reason == f'{name} can only change while the node is unconfigured'
        assert node.get(name) == before
        assert node.set(**{name: before})[0]  # what is in force already is no change


@pytest.mark.parametrize(('values', 'text'), [
    ({'depth__max': -1.0}, 'depth.max'),
    ({'depth__max': float('nan')}, 'depth.max'),
    ({'depth__max': 'far'}, "depth.max must be of type float, got 'far'"),
    ({'filtered__stride': 0}, 'filtered.stride'),
    ({'filtered__stride': 2.0}, 'filtered.stride must be of type int, got 2.0'),
    ({'scale__wait': 1}, 'scale.wait must be of type bool, got 1'),
    ({'depth__encoding': '64FC1'}, 'depth.encoding must be one of 32FC1, 16UC1'),
    ({'odometry__frame_id': ''}, 'odometry.frame_id must not be empty'),
    ({'depth__min': 100.0}, 'depth.min must be below depth.max, got 100.0 and 80.0'),
    ({'filtered__min_range': 10.0}, 'need 0 <= min_range < max_range'),
    ({'filtered__voxel': 1e-6}, 'too fine'),
    ({'clearing__range': 0.1}, 'clearing.range and depth.max must be above filtered.min_range, '
     'got 0.1, 80.0 and 0.2'),
    ({'color__near': 50.0}, 'color.near must be below color.far'),
])
def test_bad_values_are_refused_while_running(node, values, text):
    before = {name: node.get(name) for name in SPECS}
    # The good one must not be applied either.
    successful, reason = node.set(scale__value=7.0, **values)
    assert not successful
    assert text in reason
    assert {name: node.get(name) for name in SPECS} == before
    assert node.node._in_force.scale_value == before['scale.value']


def test_a_whole_number_is_a_number(tiny_weights, node):
    assert node.set(depth__max=10) == (True, '')
    assert node.node._in_force.max_depth_m == 10.0
    assert node.set(depth__max=80.0)[0]
    with Harness(tiny_weights, listen=('depth/image',), depth__max=10).start() as h:
        assert h.works(STEP)


def test_values_that_contradict_the_old_ones_but_not_each_other(node):
    assert node.set(depth__min=100.0, depth__max=200.0) == (True, '')
    assert node.set(depth__min=0.1, depth__max=80.0) == (True, '')


def test_changes_show_in_the_next_frame(node):
    assert node.works(100 * STEP)
    assert node.set(depth__encoding='16UC1', depth__size='input')[0]
    node.send(101 * STEP)
    depth = node.depth_of(101 * STEP)
    assert (depth.encoding, depth.width, depth.height) == ('16UC1', 128, 96)
    assert node.set(depth__encoding='32FC1', depth__size='network')[0]
    node.send(102 * STEP)
    depth = node.depth_of(102 * STEP)
    assert (depth.encoding, depth.width, depth.height) == ('32FC1', 96, 64)


@pytest.mark.parametrize(('given', 'text', 'repaired'), [
    ({'depth__max': -5.0}, 'depth.max', {'depth__max': 50.0}),
    ({'depth__max': 'far'}, "depth.max must be of type float, got 'far'", {'depth__max': 80.0}),
    ({'depth__max': 'far', 'depth__min': -1.0}, 'depth.min', {'depth__max': 9, 'depth__min': 1}),
    ({'depth__encoding': 'rgb8'}, 'depth.encoding must be one of', {'depth__encoding': '16UC1'}),
    ({'depth__min': 99.0}, 'depth.min must be below depth.max', {'depth__min': 1.0}),
    ({'scale__mode': 'ground_plane'}, 'scale.mode ground_plane needs scale.camera_height',
     {'scale__camera_height': 1.2}),
    ({'network__width': 100}, 'width must be 0 or a multiple of 32', {'network__width': 96}),
    ({'weights': '/nowhere/x.safetensors'}, 'there is no weights file /nowhere/x.safetensors',
     {'weights': 'TINY'}),
    ({'device': 'cuda:99'}, "device is 'cuda:99', but torch", {'device': 'cpu'}),
    ({'device': 'gpu'}, "device must be 'auto', 'cpu' or 'cuda[:N]', got 'gpu'",
     {'device': 'auto'}),
    ({'odometry__publish_tf': True}, 'odometry.publish_tf needs the package tf2_msgs',
     {'odometry__publish_tf': False}),
    ({'qos_overrides.NS/depth/image.publisher.reliability': 'good'},
     'cannot use the qos_overrides of depth/image', None),
    ({'qos_overrides.NS/depth/image.publisher.depth': -1},
     'cannot use the qos_overrides of depth/image', None),
], ids=lambda value: next(iter(value)) if isinstance(value, dict) else '')
def test_bad_values_at_the_start(tiny_weights, given, text, repaired):
    if given.get('odometry__publish_tf'):
        try:
            import tf2_msgs.msg  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip('tf2_msgs is installed')
    with Harness(tiny_weights, listen=(), **given) as h:
        assert not h.transition(CONFIGURE)
        assert h.state() == 'unconfigured'
        assert wait_for(lambda: h.logs(text)), h.logs()
        assert len(h.logs(level=Log.ERROR)) == 1, h.logs()
        assert h.logs(level=Log.ERROR)[0].startswith('cannot configure: ')
        assert '\n' not in h.logs(level=Log.ERROR)[0]
        if repaired is not None:
            values = {name: str(tiny_weights) if value == 'TINY' else value
                      for name, value in repaired.items()}
            assert h.set(**values) == (True, '')
            assert h.transition(CONFIGURE)


def test_bad_qos_of_a_subscription_refuses_to_activate(tiny_weights):
    name = 'qos_overrides.NS/camera_info.subscription.reliability'
    with Harness(tiny_weights, listen=(), **{name: 'good'}) as h:
        assert h.transition(CONFIGURE)
        for _ in range(2):
            assert not h.transition(ACTIVATE)
            assert h.state() == 'inactive'
        assert wait_for(lambda: h.logs('cannot activate: cannot use the qos_overrides of camera'))
        assert not h.images.get_subscription_count()
        assert h.transition(CLEANUP)


def test_unknown_names_are_named_and_known_ones_of_rclpy_are_not(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',), depth__maximum=3.0, use_sim_time=False,
                 **{'qos_overrides.NS/image.subscription.depth': 2}).start() as h:
        assert wait_for(lambda: h.logs('there is no parameter'))
        assert h.logs('there is no parameter') == [
            "there is no parameter 'depth.maximum', it is ignored"]
        assert not h.node.has_parameter('depth.maximum')
        assert h.works(STEP)


def test_static_parameters_change_between_cleanup_and_configure(tiny_weights):
    with Harness(tiny_weights, listen=('depth/image',)).start() as h:
        assert h.works(STEP)
        assert h.transition(DEACTIVATE)
        assert h.set(network__width=128) == (
            False, 'network.width can only change while the node is unconfigured')
        assert h.transition(CLEANUP)
        assert h.set(network__width=128)[0]
        h.start()
        h.send(2 * STEP)
        assert h.depth_of(2 * STEP).width == 128
