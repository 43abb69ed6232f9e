import math

import numpy as np
import pytest

from mdepth_ros.engine.scale import FixedScale, Motion, OdometryScale, ScaleState

TRUE_SCALE = 1.7
FRAME_NS = 100_000_000
FORWARD = np.eye(4)
FORWARD[2, 3] = 0.1
LEVER_ARM_M = 0.2  # the camera sits before the axle, whose odometry it is


class Drive:
    """A robot whose speed [m/s] and turn rate [rad/s] follow time; PoseNet and odometry see it."""

    def __init__(self, motion, seed=0, noise_m=0.005, pose_noise=0.05, outliers=0.0, late_s=0.1):
        self.rng = np.random.default_rng(seed)
        self.motion, self.noise_m, self.pose_noise = motion, noise_m, pose_noise
        self.outliers, self.late_s = outliers, late_s
        self.x, self.y, self.heading, self.time_s = 0.0, 0.0, 0.0, 0.0
        self.pose_before = self.pose()
        self.pending = []

    def pose(self):
        c, s = math.cos(self.heading), math.sin(self.heading)
        return np.array([[c, -s, 0, self.x + LEVER_ARM_M * c], [s, c, 0, self.y + LEVER_ARM_M * s],
                         [0, 0, 1, 0], [0, 0, 0, 1]])

    def seen_motion(self):
        T = np.linalg.inv(self.pose_before) @ self.pose()
        T[:3, 3] *= math.exp(self.rng.normal(0, self.pose_noise)) / TRUE_SCALE
        T[:3, 3] += self.rng.normal(0, 0.002, 3)  # also where nothing moves
        return T

    def run(self, scale, seconds):
        """Feed the scale; returns [(time [s], scale)] of each frame."""
        history = []
        for _ in range(round(seconds * 10)):
            for _ in range(5):  # odometry at 50 Hz
                speed, rate = self.motion(self.time_s)
                self.heading += 0.02 * rate
                self.x += 0.02 * speed * math.cos(self.heading)
                self.y += 0.02 * speed * math.sin(self.heading)
                self.time_s += 0.02
                position = np.array([self.x, self.y, 0.0]) + self.rng.normal(0, self.noise_m, 3)
                if self.rng.random() < self.outliers:
                    position += self.rng.normal(0, 2.0, 3)
                self.pending.append((round(self.time_s * 1e9), position))
            # The image's motion is known before the odometry of its time has come.
            now = round(self.time_s * 1e9)
            scale.add_motion(Motion(now - FRAME_NS, now, self.seen_motion()))
            self.pose_before = self.pose()
            while self.pending and self.pending[0][0] < now - self.late_s * 1e9:
                scale.add_odometry(*self.pending.pop(0))
            history.append((self.time_s, scale.scale))
        return history


def straight(time_s):
    return 1.0, 0.0


def stop_and_go_with_turns(time_s):
    phase = time_s % 8
    if phase < 2:
        return 0.8, 0.0
    if phase < 4:
        return 0.0, 0.0
    if phase < 6:
        return 0.7, 0.4
    return 0.0, 1.0


def slow(time_s):
    return 0.15, 0.0


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize(('motion', 'options'), [
    (straight, {}), (straight, {'noise_m': 0.02}), (straight, {'late_s': 0.5}),
    (straight, {'outliers': 0.05}), (straight, {'pose_noise': 0.2}),
    (lambda time_s: (5.0, 0.0), {'noise_m': 0.02}),
], ids=['plain', 'noisy', 'late', 'outliers', 'poor poses', 'fast'])
def test_locks_within_three_seconds_and_stays(motion, options, seed):
    scale = OdometryScale(1.0)
    history = Drive(motion, seed, **options).run(scale, 20)
    locked = [time_s for time_s, s in history if s.state is ScaleState.LOCKED]
    assert locked[0] < 3.0
    assert len(locked) == sum(time_s >= locked[0] - 1e-9 for time_s, _ in history)
    values = np.array([s.value for time_s, s in history if time_s > 5])
    assert np.abs(values / TRUE_SCALE - 1).max() < 0.1
    assert abs(np.median(values) / TRUE_SCALE - 1) < 0.05
    # Once locked depth does not jump.
    after = np.array([s.value for time_s, s in history if time_s >= locked[0]])
    assert np.abs(np.diff(after) / after[:-1]).max() <= OdometryScale.MAX_STEP + 1e-9


def test_a_slow_robot_takes_a_little_longer():
    scale = OdometryScale(1.0)
    history = Drive(slow).run(scale, 10)
    assert history[35][1].state is ScaleState.LOCKED
    assert history[-1][1].value == pytest.approx(TRUE_SCALE, rel=0.06)


def test_stops_and_turns_on_the_spot_say_nothing():
    scale = OdometryScale(1.0)
    values = [s.value for time_s, s in Drive(stop_and_go_with_turns).run(scale, 40) if time_s > 5]
    assert np.abs(np.array(values) / TRUE_SCALE - 1).max() < 0.06


@pytest.mark.parametrize('motion', [lambda time_s: (0.0, 0.0), lambda time_s: (0.0, 1.0)],
                         ids=['still', 'turning'])
def test_no_lock_without_a_motion_that_says_something(motion):
    scale = OdometryScale(1.3)
    history = Drive(motion).run(scale, 10)
    assert {(s.value, s.state) for _, s in history} == {(1.3, ScaleState.SEARCHING)}


def test_standing_keeps_the_scale():
    scale = OdometryScale(1.0)
    drive = Drive(lambda time_s: (1.0 if time_s < 5 else 0.0, 0.0))
    drive.run(scale, 7)
    before = scale.scale
    drive.run(scale, 20)
    assert scale.scale == before


def test_silence_is_lost_and_more_odometry_is_found_again():
    scale = OdometryScale(1.0)
    drive = Drive(straight)
    drive.run(scale, 5)
    value = scale.scale.value
    drive.late_s = 1e9
    assert drive.run(scale, 3)[-1][1].state is ScaleState.LOST
    assert scale.scale.value == value
    drive.late_s = 0.1
    assert drive.run(scale, 1)[-1][1].state is ScaleState.LOCKED


def test_readings_out_of_order_or_repeated_do_no_harm():
    plain, shuffled = OdometryScale(1.0), OdometryScale(1.0)
    readings = [(i * FRAME_NS // 2, np.array([0.05 * i, 0, 0])) for i in range(80)]
    for i, reading in enumerate(readings):
        plain.add_odometry(*reading)
        for extra in (reading, readings[max(i - 3, 0)], reading):
            shuffled.add_odometry(*extra)
        if i % 2 == 0 and i:
            for scale in (plain, shuffled):
                scale.add_motion(Motion(reading[0] - FRAME_NS, reading[0], FORWARD))
    assert plain.scale == shuffled.scale
    assert plain.scale.state is ScaleState.LOCKED


def test_a_bag_that_starts_again_goes_on_with_the_scale():
    scale = OdometryScale(1.0)
    Drive(straight).run(scale, 5)
    value = scale.scale.value
    history = Drive(straight, seed=1).run(scale, 5)
    assert history[-1][1].state is ScaleState.LOCKED
    assert history[-1][1].value == pytest.approx(value, rel=0.05)
    assert history[-1][1].value == pytest.approx(TRUE_SCALE, rel=0.05)


def test_motions_after_a_jump_back_are_not_compared_with_the_odometry_before():
    scale = OdometryScale(1.0)
    Drive(straight).run(scale, 5)
    value = scale.scale.value
    for i in range(20):
        T = np.eye(4)
        T[2, 3] = 0.01  # ten times too short for the odometry of that time
        scale.add_motion(Motion((10 + i) * FRAME_NS, (11 + i) * FRAME_NS, T))
    assert scale.scale.value == value
    assert scale.scale.state is ScaleState.LOST


def test_nothing_is_read_from_a_gap_in_the_odometry():
    scale = OdometryScale(1.0)
    for second in range(40):  # one reading per second, frames at 10 Hz
        scale.add_odometry(second * 10**9, np.array([float(second), 0, 0]))
        for i in range(10):
            end = second * 10**9 - (9 - i) * FRAME_NS - FRAME_NS // 2
            scale.add_motion(Motion(end - FRAME_NS, end, FORWARD))
    assert scale.scale.state is ScaleState.SEARCHING


def test_fixed_scale_is_locked():
    assert FixedScale(2.0).scale.value == 2.0
    assert FixedScale(2.0).scale.state is ScaleState.LOCKED


@pytest.mark.parametrize('value', [0.0, -1.0, math.nan])
def test_no_scale_is_refused(value):
    with pytest.raises(ValueError, match='must be > 0'):
        FixedScale(value)
    with pytest.raises(ValueError, match='must be > 0'):
        OdometryScale(value)
