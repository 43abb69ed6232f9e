#!/bin/sh
# The recipe of the default weights: sh training/default/train.sh out/default
# Two processes of one thread each; about five hours on two cores that have bfloat16 (AVX-512), twice
# to three times as long on others. What is interrupted goes on
# where it was when the same command is given again.
set -e
out=${1:?where to leave the weights}
bank=$out/photographs/bank.npz
mkdir -p "$out"
[ -f "$bank" ] || sh "$(dirname "$0")/photographs.sh" "$out/photographs"
stage() {
  "${PYTHON:-python3}" -m torch.distributed.run --nproc-per-node "${PROCESSES:-2}" \
    -m "mdepth_ros.training.stage0.$@" --photographs "$bank"
}
stage pretrain --out "$out/first.safetensors" --seed 1 --steps 500
stage pretrain_single --weights "$out/first.safetensors" --out "$out/single.safetensors" --seed 2 --steps 4000
stage pretrain_single --weights "$out/single.safetensors" --out "$out/wide.safetensors" --seed 4 --steps 7500
stage pretrain_matching --weights "$out/wide.safetensors" --out "$out/matched.safetensors" --seed 3 --steps 1400
stage pretrain_matching --weights "$out/matched.safetensors" --out "$out/lite.safetensors" --seed 5 --steps 1200
