#!/bin/sh
# The recipe of the default weights: sh training/default/train.sh out/default
# Two processes of one thread each; two hours on two cores. What is interrupted goes on where it
# was when the same command is given again.
set -e
out=${1:?where to leave the weights}
photographs=$out/photographs/bank.npz
mkdir -p "$out"
[ -f "$photographs" ] || sh "$(dirname "$0")/photographs.sh" "$out/photographs"
stage() {
  "${PYTHON:-python3}" -m torch.distributed.run --nproc-per-node "${PROCESSES:-2}" \
    -m "mdepth_ros.training.stage0.$@" --photographs "$photographs"
}
stage pretrain --out "$out/first.safetensors" --seed 1
stage pretrain_single --weights "$out/first.safetensors" --out "$out/single.safetensors" --seed 2
stage pretrain_matching --weights "$out/single.safetensors" --out "$out/lite.safetensors" --seed 3
