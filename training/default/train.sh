#!/bin/sh
# The recipe of the default weights: sh training/default/train.sh out/default
# Two processes of one thread each; four to nine hours on two cores. What is interrupted goes on
# where it was when the same command is given again.
set -e
out=${1:?where to leave the weights}
mkdir -p "$out"
stage() { "${PYTHON:-python3}" -m torch.distributed.run --nproc-per-node "${PROCESSES:-2}" -m "mdepth_ros.training.stage0.$@"; }
stage pretrain --out "$out/first.safetensors"
stage pretrain_single --weights "$out/first.safetensors" --out "$out/single.safetensors" --seed 3
stage pretrain_matching --weights "$out/single.safetensors" --out "$out/matched.safetensors" --seed 4
stage pretrain_single --weights "$out/matched.safetensors" --out "$out/open.safetensors" --seed 7 --steps 2050 --rate 6e-4 --keep 0.4
stage pretrain_matching --weights "$out/open.safetensors" --out "$out/beside.safetensors" --seed 11 --steps 700
bank=$out/photographs/bank.npz
[ -f "$bank" ] || sh "$(dirname "$0")/photographs.sh" "$out/photographs"
stage pretrain_single --weights "$out/beside.safetensors" --out "$out/real.safetensors" --photographs "$bank" --seed 21 --steps 4400 --rate 6e-4 --keep 0.2
stage pretrain_matching --weights "$out/real.safetensors" --out "$out/placed.safetensors" --photographs "$bank" --seed 31 --steps 700 --keep 0
stage pretrain_single --weights "$out/placed.safetensors" --out "$out/wide.safetensors" --photographs "$bank" --seed 41 --steps 3600 --rate 6e-4
stage pretrain_matching --weights "$out/wide.safetensors" --out "$out/lite.safetensors" --photographs "$bank" --seed 51 --steps 700 --keep 0
