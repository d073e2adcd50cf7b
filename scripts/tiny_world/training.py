"""What the trainings share: worker threads on copies of the modules, a learning rate, moving averages, checkpoints."""

import copy
import hashlib
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import torch


def launch(function, workers):
    """Runs function(rank) in `workers` threads of this process; an error in one of them ends the program."""
    torch.set_num_threads(1)
    if workers == 1:
        return function(0)
    errors = []

    def run(rank):
        try:
            torch.set_num_threads(1)
            function(rank)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(rank,), daemon=True) for rank in range(workers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) and not errors:
        time.sleep(0.2)
    if errors:
        raise errors[0]


class Shared:
    """Modules that several workers train: each computes gradients on a copy of its own, and no worker waits for another.

    A gradient is at most as many steps old as there are other workers.
    """

    def __init__(self, modules, optimisers, average, clip):
        self.modules, self.optimisers, self.average, self.clip = modules, optimisers, average, clip
        self.parameters = [p for m in modules for p in m.parameters()]
        self.lock = threading.Lock()

    def own(self, workers):
        """The modules for one of so many workers: the only one trains them themselves."""
        with self.lock:
            return self.modules if workers == 1 else copy.deepcopy(self.modules)

    def update(self, own):
        """Takes over the gradients of a worker's modules, and gives these the new weights; to be called with the lock held."""
        theirs = [p for m in own for p in m.parameters()]
        if own is not self.modules:
            for p, q in zip(self.parameters, theirs):
                p.grad, q.grad = q.grad, None
        torch.nn.utils.clip_grad_norm_(self.parameters, self.clip)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        self.average.update()
        if own is not self.modules:
            with torch.no_grad():
                torch._foreach_copy_(theirs, self.parameters)


class Stop:
    """Whether this process was asked to end (SIGTERM, SIGINT); the trainings keep a checkpoint before they do."""

    def __init__(self):
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, *_):
        self.asked = True


class Keeper:
    """Calls `keep` every ten minutes."""

    EVERY = 600

    def __init__(self, keep):
        self.keep, self.last = keep, time.time()

    def now_and_then(self):
        if time.time() - self.last > self.EVERY:
            self.keep()
            self.last = time.time()


class Log:
    """Mean figures of the last steps, with the processor time that the training has taken, also before it was stopped and started again."""

    def __init__(self):
        self.seconds, self.rows, self.shown = 0.0, [], time.time()

    def spent(self):
        return self.seconds + time.process_time()

    def add(self, row):
        self.rows.append(row)

    def show(self, title):
        figures = " ".join(f"{value:.4f}" for value in np.mean(self.rows, 0))
        pace = (time.time() - self.shown) / len(self.rows)
        print(f"{title} {figures}, {pace:.2f} s/step, {self.spent() / 3600:.2f} core-hours", flush=True)
        self.rows, self.shown = [], time.time()


def learning_rate(peak, step, steps, warmup=100, decay=0.2, begun=0):
    """Warm-up over the first steps from `begun`, then constant, then down to zero over the last share of all: a longer run only moves the end."""
    return peak * min(1.0, (step - begun + 1) / warmup, (steps - step) / max(1.0, decay * steps))


class Schedule:
    """When a training is over, and its learning rate: by steps, or by the minutes of this run, of which `decay` is a share then."""

    def __init__(self, args, begun):
        self.args, self.begun, self.started = args, begun, time.time()

    def spent(self):
        """The share of the minutes that is over, if there are any."""
        return (time.time() - self.started) / (60 * self.args.minutes) if self.args.minutes else 0.0

    def over(self, step):
        return step >= self.args.steps or self.spent() >= 1

    def rate(self, peak, step):
        by_time = peak * min(1.0, max(0.0, 1 - self.spent()) / self.args.decay) if self.args.minutes and self.args.decay else peak
        return min(by_time, learning_rate(peak, step, self.args.steps, decay=0 if self.args.minutes else self.args.decay, begun=self.begun))


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
