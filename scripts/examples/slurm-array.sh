#!/bin/bash
#SBATCH --job-name=t2v
#SBATCH --array=0-3
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
#SBATCH --signal=TERM@120
#SBATCH --output=t2v-%A_%a.log
#
# A file of prompts on four GPUs of a Slurm cluster:
#
#   sbatch scripts/examples/slurm-array.sh prompts.txt clips [flags of t2v batch]
#
# Every task of the array runs the same command on the same folder, which has to be on a filesystem that all nodes
# share and that has flock. Each takes the next clip that no other has taken. When the time is up, a node fails or a
# task is cancelled, submit it again: what is there is kept.

set -euo pipefail
prompts=$1
folder=$2
shift 2

# Slurm takes a task's exit code for the job's: 8 if some clips failed, which clips/failed.jsonl then lists.
exec srun "${T2V:-t2v}" batch --prompts "$prompts" --output "$folder" --progress plain "$@"
