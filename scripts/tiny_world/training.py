"""What both trainings share: worker processes, averaged gradients, a learning rate, moving averages, checkpoints."""

import hashlib
import os
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


def learning_rate(peak, step, steps, warmup=100, decay=0.2, begun=0):
    """Warm-up over the first steps from `begun`, then constant, then down to zero over the last share of all: a longer run only moves the end."""
    return peak * min(1.0, (step - begun + 1) / warmup, (steps - step) / max(1.0, decay * steps))


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


def load(values, *modules):
    """Writes a list of averaged parameters into modules, one after the other."""
    with torch.no_grad():
        for p, value in zip((p for m in modules for p in m.parameters()), values, strict=True):
            p.copy_(value)


def sha256(values):
    """What tells one list of averaged parameters from another."""
    return hashlib.sha256(b"".join(value.cpu().numpy().tobytes() for value in values)).hexdigest()


def save(state, path):
    """Writes a checkpoint whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, f"{path}.tmp")
    os.replace(f"{path}.tmp", path)
