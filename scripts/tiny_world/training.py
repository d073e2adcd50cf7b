"""What both trainings share: worker processes, averaged gradients, a clocked learning rate, moving averages, checkpoints."""

import math
import os
import time
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def _worker(rank, function, workers, port, args):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    if workers > 1:
        dist.init_process_group("gloo", rank=rank, world_size=workers)
    if args.device == "cpu":
        torch.set_num_threads(args.threads)
    function(rank, args)


def launch(function, args):
    """Runs function(rank, args) in args.workers processes that average their gradients."""
    if args.workers == 1:
        return _worker(0, function, 1, 0, args)
    mp.spawn(_worker, (function, args.workers, 20000 + os.getpid() % 20000, args), args.workers)


def average_gradients(parameters, workers):
    """Replaces each gradient by its mean over all workers."""
    if workers == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.reshape(-1) for g in gradients])
    dist.all_reduce(flat)
    flat /= workers
    start = 0
    for g in gradients:
        g.copy_(flat[start : start + g.numel()].view_as(g))
        start += g.numel()


def agree(value: float, workers: int) -> float:
    """The mean of a number over all workers."""
    if workers == 1:
        return value
    tensor = torch.tensor([value], dtype=torch.float64)
    dist.all_reduce(tensor)
    return float(tensor) / workers


def learning_rate(peak, progress, step, warmup=100):
    """Warm-up over the first steps, then a cosine down to zero at progress 1."""
    return peak * min(1.0, (step + 1) / warmup) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


class Average:
    """Exponential moving average of a module's parameters."""

    def __init__(self, modules, decay):
        self.modules, self.decay, self.steps = modules, decay, 0
        self.values = [p.detach().clone() for m in modules for p in m.parameters()]

    def update(self):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            torch._foreach_lerp_(self.values, [p.detach() for m in self.modules for p in m.parameters()], 1 - decay)

    def copy_to(self, modules):
        """Writes the averages into modules of the same shape."""
        with torch.no_grad():
            for p, value in zip((p for m in modules for p in m.parameters()), self.values):
                p.copy_(value)


def save(state, path):
    """Writes a checkpoint whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, f"{path}.tmp")
    os.replace(f"{path}.tmp", path)


class Clock:
    """Seconds worked on a stage, over all runs of it; `progress` is their share of the stage's budget."""

    def __init__(self, minutes, worked=0.0):
        self.budget, self.before, self.start = 60.0 * minutes, worked, time.time()

    @property
    def worked(self):
        return self.before + time.time() - self.start

    @property
    def progress(self):
        return self.worked / self.budget
