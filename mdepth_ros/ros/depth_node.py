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

"""The lifecycle node: a camera in, depth images and clouds out."""

from collections.abc import Sequence
from pathlib import Path
import signal
import sys

from diagnostic_msgs.msg import DiagnosticArray
from mdepth_ros.engine.backends.choose import computes_in_torch
from mdepth_ros.engine.estimator import DepthEstimator, NOTHING_MATCHES
from mdepth_ros.engine.heaps import limit_heaps, return_free_memory, trim_heaps
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.diagnostics import Status, status_name
from mdepth_ros.ros.failure import LoggedFailure
from mdepth_ros.ros.lifecycle_guard import GuardedLifecycleNode
from mdepth_ros.ros.parameter_field import BadParameter
from mdepth_ros.ros.parameters import (
    declare_parameters,
    known,
    NodeParameters,
    read_parameters,
)
from mdepth_ros.ros.publishers import Publishers
from mdepth_ros.ros.start import StartError, what_ros_refuses
from mdepth_ros.ros.subscriptions import Subscriptions
from mdepth_ros.ros.throttle import ThrottledLog
from mdepth_ros.ros.transport import use_large_messages
from mdepth_ros.ros.worker import Worker, WorkerLog
from rcl_interfaces.msg import SetParametersResult
import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from rclpy.timer import Timer
from std_srvs.srv import SetBool, Trigger
import torch

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
ERROR = TransitionCallbackReturn.ERROR
ERROR_PERIOD_S = 5.0
TRIM_PERIOD_S = 10.0
# How soon a signal is seen while nothing happens.
SIGNAL_POLL_S = 0.2


class DepthNode(GuardedLifecycleNode):
    """
    Configure loads the model, activate starts work, deactivate stops it, cleanup frees it.

    The executor's callbacks only store messages; one worker thread does the rest.
    """

    def __init__(self, **arguments: object) -> None:
        """
        Declare parameters and services.

        :param arguments: passed on to rclpy's LifecycleNode.
        """
        # That is how it learns of names that it does not know.
        super().__init__('mdepth', automatically_declare_parameters_from_overrides=True,
                         **arguments)
        self._bad_parameters = declare_parameters(self)
        self._torch_threads = torch.get_num_threads()
        self._in_force = NodeParameters()
        self._estimator: DepthEstimator | None = None
        self._outputs: Publishers | None = None
        self._inputs: Subscriptions | None = None
        self._worker: Worker | None = None
        self._enabled = True
        self._status = Status()
        self._log = WorkerLog(ThrottledLog(self._log_error, ERROR_PERIOD_S),
                              ThrottledLog(self._log_warning, ERROR_PERIOD_S), self._log_failure)
        self._diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 5)
        self._upkeep: list[Timer] = []
        self.create_service(Trigger, '~/reset', self._on_reset)
        self.create_service(SetBool, '~/enable', self._on_enable)
        self.add_on_set_parameters_callback(self._on_set_parameters)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters, load the model and warm it up."""
        with LoggedFailure(self._log_failure, 'configure'):
            try:
                self._configure()
            except MdepthError as error:
                self._log_error(f'cannot configure: {error}')
                self._release()
                return FAILURE
            return SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe and start to work."""
        assert self._estimator is not None
        assert self._outputs is not None
        with LoggedFailure(self._log_failure, 'activate'):
            try:
                self._inputs = Subscriptions(self, self._in_force, self._log.error)
            except MdepthError as error:
                self._log_error(f'cannot activate: {error}')
                return FAILURE
            self._inputs.images.enabled = self._enabled
            self._estimator.reset('first frame')
            self._status = Status()
            result = super().on_activate(state)
            self._worker = Worker(self._estimator, self._inputs, self._outputs, self._status,
                                  self._in_force, self._log)
            return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop work; the model stays loaded."""
        with LoggedFailure(self._log_failure, 'deactivate'):
            try:
                self._stop()
            except MdepthError as error:
                # Its worker still has the model: what comes next must load another one.
                self._log_error(f'cannot deactivate: {error}')
                return ERROR
            return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the model and the publishers."""
        with LoggedFailure(self._log_failure, 'cleanup'):
            self._release()
            return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, from any state."""
        with LoggedFailure(self._log_failure, 'shutdown'):
            self._release()
            return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything, so that the node can be configured again."""
        with LoggedFailure(self._log_failure, 'the way back from an error'):
            self._release()
            return SUCCESS

    def destroy_node(self) -> None:
        """Stop the worker before its node goes."""
        self._release()
        super().destroy_node()

    def _configure(self) -> None:
        """Do the work of on_configure, or raise MdepthError."""
        if self._bad_parameters:
            raise BadParameter('; '.join(self._bad_parameters.values()))
        parameters = read_parameters(self)
        weights = Path(parameters.weights) if parameters.weights else None
        estimator = DepthEstimator.from_checkpoint(weights, parameters.engine_config())
        torch.set_num_threads(self._torch_threads if computes_in_torch(estimator.backend) else 1)
        estimator.warm_up()
        if estimator.compiles and not parameters.network_width:
            self.get_logger().info('the first image takes seconds: the networks are prepared for '
                                   "its camera's size, once per machine")
        return_free_memory()  # what loading and compiling took
        self._outputs = Publishers(self, parameters.odometry_tf)
        self._in_force, self._estimator = parameters, estimator
        # They go on while simulated time stands still or jumps.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._upkeep = [
            self.create_timer(1 / parameters.diagnostics_rate, self._publish_diagnostics,
                              clock=clock),
            self.create_timer(TRIM_PERIOD_S, trim_heaps, clock=clock)]
        kind = 'rectified' if parameters.image_is_rectified else 'raw, to be undistorted'
        self.get_logger().info(
            f'{parameters.weights or "default weights"} ({estimator.model_config.profile} '
            f'profile) on {estimator.device} by {estimator.backend}, images are taken as {kind}')
        if not estimator.model_config.multi_frame:
            self._log_warning(f'{NOTHING_MATCHES}: every depth is single-frame')

    def _stop(self) -> None:
        """Unsubscribe and wait for the worker; does nothing when it does not run."""
        inputs, worker = self._inputs, self._worker
        self._inputs = self._worker = None
        self._status = Status()
        if inputs is not None:
            inputs.destroy()
        if worker is not None:
            worker.join()

    def _release(self) -> None:
        """Stop and free all that configure made; does nothing where there is nothing."""
        try:
            self._stop()
        except MdepthError as error:
            self._log_error(str(error))
        if self._outputs is not None:
            self._outputs.destroy()
        for timer in self._upkeep:
            self.destroy_timer(timer)
        self._upkeep = []
        self._estimator = self._outputs = None
        return_free_memory()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def _on_set_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        """Refuse with a reason, or use the new values from the next frame on."""
        try:
            for parameter, spec in known(parameters):
                spec.checked(parameter.value)
            # Before configure values may still contradict each other: they come one by one.
            if self._estimator is not None:
                self._in_force = self._in_force.changed(parameters)
        except BadParameter as error:
            return SetParametersResult(successful=False, reason=str(error))
        for parameter, _ in known(parameters):
            self._bad_parameters.pop(parameter.name, None)
        if self._worker is not None:
            self._worker.update(self._in_force)
        return SetParametersResult(successful=True)

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Forget past frames, path and scale."""
        if self._worker is None:
            response.message = 'the node is not active'
        else:
            response.success = self._worker.reset()
            response.message = ('past frames, path and scale are forgotten' if response.success
                                else 'the worker failed; deactivate and activate the node')
        return response

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Take images, or leave them."""
        self._enabled = request.data
        if self._inputs is not None:
            self._inputs.images.enabled = request.data
        response.success = True
        response.message = 'enabled' if request.data else 'disabled'
        return response

    def _publish_diagnostics(self) -> None:
        estimator = self._estimator
        assert estimator is not None
        images = self._inputs.images if self._inputs is not None else None
        paused = ('the node is not active' if images is None
                  else '' if images.enabled else 'disabled by ~/enable')
        message = self._status.message(
            status_name(self.get_fully_qualified_name()), images.received if images else 0,
            images.replaced if images else 0,
            {'profile': estimator.model_config.profile, 'device': str(estimator.device),
             'backend': estimator.backend}, paused)
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)

    # One line each: rclpy fixes the severity of the line that logs.
    def _log_error(self, text: str) -> None:
        self.get_logger().error(text)

    def _log_warning(self, text: str) -> None:
        self.get_logger().warning(text)

    def _log_failure(self, text: str) -> None:
        self.get_logger().fatal(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the node until it is told to stop.

    :param arguments: of ROS; by default the process's.
    :return: exit status: 0, or 1 if ROS refuses the arguments (one line on stderr).
    """
    limit_heaps()
    use_large_messages()  # the default transport loses whole clouds
    # PyTorch's threads spin while they wait for each other: with no core left for DDS and the
    # camera's driver, more threads are slower.
    torch.set_num_threads(max(1, torch.get_num_threads() - 1))
    # Not an Event: its lock is held while a second signal comes, whose handler waits for it.
    stopped: list[bool] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    try:
        with what_ros_refuses():
            # rclpy's own handlers end the context while the worker may be publishing.
            rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
            node = DepthNode()
    except StartError as error:
        print(f'mdepth: error: {error}', file=sys.stderr)
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        while not stopped:
            executor.spin_once(timeout_sec=SIGNAL_POLL_S)
    finally:
        node.destroy_node()
        # There are none of its own; to uninstall them has the process without any for a moment.
        if rclpy.ok():
            rclpy.shutdown(uninstall_handlers=False)
        # Ctrl-C reaches the node twice, from the terminal and from launch; the second one must not
        # kill the interpreter on its way out.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    return 0


if __name__ == '__main__':
    sys.exit(main())
