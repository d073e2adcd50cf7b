#!/bin/bash
#
# A file of prompts on every GPU of this machine, with GNU parallel:
#
#   scripts/examples/parallel.sh prompts.txt clips [flags of t2v batch]
#
# WORKERS says how many processes, if not one a GPU; T2V which t2v. Each process takes the next clip that no other
# has taken; after an interruption the same command continues.

set -euo pipefail
prompts=$1
folder=$2
shift 2

gpus=$(nvidia-smi --list-gpus 2>/dev/null | wc -l || true)
workers=${WORKERS:-$((gpus > 0 ? gpus : 1))}
visible=()
if ((gpus > 0)); then visible=(env CUDA_VISIBLE_DEVICES=GPU_NUMBER); fi

seq 0 $((workers - 1)) |
  parallel --quote --jobs "$workers" --line-buffer -I GPU_NUMBER -N1 \
    "${visible[@]}" "${T2V:-t2v}" batch --prompts "$prompts" --output "$folder" --progress plain "$@"
