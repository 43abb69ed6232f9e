"""
Stage 0, S-DepthNet alone: one image and its exact depth at a time, in worlds of every kind.

``torchrun --nproc-per-node 2 -m mdepth_ros.training.pretrain_single --weights first.safetensors
--out weights.safetensors --steps 7000`` on two cores, one thread each. What is interrupted goes
on where it was when the same command is given again.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed, nn

from mdepth_ros.geometry.depth import disparity_to_depth
from mdepth_ros.networks.checkpoint import load_checkpoint, save_checkpoint
from mdepth_ros.networks.single_frame import SingleFrameNet
from mdepth_ros.training.image_pool import ImagePool
from mdepth_ros.training.pretrain import MAX_TRUTH, average_over_processes, keep_early_layers

# Width, height and batch per process: cameras from 10:3 to 4:3, at training's and at running's
# size.
SIZES = ((416, 128, 8), (320, 160, 8), (288, 192, 8), (256, 192, 8), (640, 192, 4), (416, 288, 4))
SAVE_EVERY = 250


def single_frame_loss(depth: Tensor, truth: Tensor) -> Tensor:
    """
    Log error after median scaling, the scale itself, gradients at four scales, and the sky.

    Source: Ranftl et al. 2020 for the robust scale-free error; Li and Snavely 2018 for the
    gradients.

    :param depth: (B, 1, H, W) predicted [m].
    :param truth: (B, 1, H, W) exact [m], Inf for the sky.
    :return: scalar.
    """
    valid = truth < MAX_TRUTH
    error = torch.where(valid, depth.log() - torch.where(valid, truth, 1.0).log(), torch.nan)
    scale = torch.nan_to_num(error.flatten(1).nanmedian(dim=1).values)  # (B,)
    error = torch.nan_to_num(error - scale.view(-1, 1, 1, 1))
    count = valid.sum(dim=(1, 2, 3)).clamp(min=1)
    loss = (error.abs().sum(dim=(1, 2, 3)) / count).mean() + 0.2 * scale.abs().mean()
    for step in (1, 2, 4, 8):
        e, v = error[..., ::step, ::step], valid[..., ::step, ::step]
        for dim in (2, 3):
            n = e.shape[dim] - 1
            both = v.narrow(dim, 1, n) & v.narrow(dim, 0, n)
            change = (e.narrow(dim, 1, n) - e.narrow(dim, 0, n)).abs()
            loss = loss + 0.25 * (change * both).sum() / both.sum().clamp(min=1)
    sky = torch.where(truth.isinf(), (math.log(MAX_TRUTH) - depth.log()).clamp(min=0), 0.0)
    return loss + 0.2 * sky.mean()


def keep_depthwise_exact(net: nn.Module) -> None:
    """Leave wide depthwise kernels in float32: 5 times faster to train than bfloat16 on CPUs."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1 and module.kernel_size[0] > 3:
            module.forward = _in_float32(module.forward)  # type: ignore[method-assign]


def _in_float32(forward):  # type: ignore[no-untyped-def]
    """Wrap a forward function."""
    def wrapped(x: Tensor) -> Tensor:
        with torch.autocast('cpu', enabled=False):
            return forward(x.float())
    return wrapped


def train(arguments: argparse.Namespace) -> None:
    """Train for the steps asked, from the saved state if there is one."""
    distributed.init_process_group('gloo')
    rank = distributed.get_rank()
    torch.set_num_threads(1)
    model = load_checkpoint(arguments.weights)
    net = model.single.train().to(memory_format=torch.channels_last)
    keep_early_layers(net.encoder)
    keep_depthwise_exact(net)
    optimiser = _optimiser(net, arguments.rate)
    base = [group['lr'] for group in optimiser.param_groups]
    state_file = arguments.out.with_suffix('.state')
    first = 0
    if state_file.exists():
        state = torch.load(state_file, weights_only=True)
        net.load_state_dict(state['net'])
        optimiser.load_state_dict(state['optimiser'])
        first = state['step']
    rng = np.random.default_rng([arguments.seed, rank, first])
    pools = [ImagePool((w, h), arguments.capacity // len(SIZES)) for w, h, _ in SIZES]
    seed = (arguments.seed * 1000 + rank) * 1_000_000 + first
    for pool in pools:
        for _ in range(arguments.first):
            pool.grow(seed)
            seed += 1

    distributed.barrier()
    start, mean = time.monotonic(), 0.0
    for step in range(first, arguments.steps):
        done = step / arguments.steps
        for group, rate in zip(optimiser.param_groups, base):
            group['lr'] = rate * min(1.0, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * done))
        which = step % len(SIZES)
        # New worlds all the time, as long as there is time to learn from them.
        if step // len(SIZES) % arguments.grow_every == 0 and done < 0.95:
            pools[which].grow(seed)
            seed += 1
        batch = pools[which].draw(SIZES[which][2], rng)
        with torch.autocast('cpu', torch.bfloat16):
            image = batch.image.contiguous(memory_format=torch.channels_last)
            disparity = net(image).disparity.float()
        depth = disparity_to_depth(disparity, model.config.min_depth, model.config.max_depth)
        loss = single_frame_loss(depth, batch.depth)
        optimiser.zero_grad()
        loss.backward()
        average_over_processes(net)
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)):
            optimiser.step()
        mean = float(loss.detach()) if step == first else 0.98 * mean + 0.02 * float(loss.detach())
        if rank:
            continue
        if (step + 1) % 50 == 0:
            print(f'step {step + 1} loss {mean:.4f} '
                  f'{(time.monotonic() - start) / (step + 1 - first):.3f} s/step', flush=True)
        if (step + 1) % SAVE_EVERY == 0:
            torch.save({'net': net.state_dict(), 'optimiser': optimiser.state_dict(),
                        'step': step + 1}, state_file)
            save_checkpoint(model, arguments.out, torch.float16, f'step {step + 1}')
    if not rank:
        save_checkpoint(model, arguments.out, torch.float16,
                        f'mdepth_ros.training.pretrain_single, {arguments.steps} steps')
    distributed.destroy_process_group()


def _optimiser(net: SingleFrameNet, rate: float) -> torch.optim.AdamW:
    """The encoder comes from ImageNet and learns more slowly."""
    encoder = [p for p in net.encoder.parameters() if p.requires_grad]
    return torch.optim.AdamW([{'params': encoder, 'lr': 0.4 * rate},
                              {'params': list(net.decoder.parameters()), 'lr': rate}],
                             weight_decay=1e-4)


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--weights', type=Path, required=True, help='weights to go on from')
    parser.add_argument('--out', type=Path, required=True, help='weights file to write')
    parser.add_argument('--steps', type=int, default=7000)
    parser.add_argument('--rate', type=float, default=8e-4, help='learning rate of the decoder')
    parser.add_argument('--capacity', type=int, default=1200, help='worlds kept in memory')
    parser.add_argument('--first', type=int, default=10, help='worlds per size at the start')
    parser.add_argument('--grow-every', type=int, default=7, help='steps of a size per new world')
    parser.add_argument('--seed', type=int, default=3)
    train(parser.parse_args())


if __name__ == '__main__':
    main()
