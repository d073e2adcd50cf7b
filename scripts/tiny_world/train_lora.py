"""Distils the guided model into a LoRA that needs four steps and no guidance.

The teacher draws whole paths from noise to clip with guidance; the student, the same model with low-rank changes, learns to go from each of four points of a
path to the next in one straight step. Paths are kept in pieces, so that more can be drawn at any time; the student can be stopped and started again. Of another
teacher, as after more training, both begin anew.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch.nn.utils import parametrize

import captions
import fast
import training
from train_dit import SHIFT, TEXT_LENGTH, TEXT_ROWS, encode_text, latent_form, new_models, tokenise, width_of
from world import random_scene

POINTS = (1.0, 0.75, 0.5, 0.25, 0.0)  # of a path, before the shift: the student's steps lead from each to the next, as in configs/tiny-world-distilled.json
BETWEEN = 3  # the teacher's steps for one of the student's
PIECE = 240  # paths
TOGETHER = 12  # paths that are drawn at once
RANK = 16


def shifted(u):
    return SHIFT * u / (1 + (SHIFT - 1) * u)


class LowRank(torch.nn.Module):
    """A weight [out,in] plus a product of rank RANK, zero at first."""

    def __init__(self, weight):
        super().__init__()
        self.down = torch.nn.Parameter(torch.randn(RANK, weight.shape[1]) / weight.shape[1] ** 0.5)
        self.up = torch.nn.Parameter(torch.zeros(weight.shape[0], RANK))

    def forward(self, weight):
        return weight + self.up @ self.down


class Model:
    """The trained transformer and text encoder, and what their shortened forms need."""

    def __init__(self, work, device):
        self.device = torch.device(device)
        self.tokenizer = Tokenizer.from_file(str(work / "tokenizer" / "tokenizer.json"))
        self.transformer, self.encoder = new_models(self.tokenizer.get_vocab_size(), width=width_of(work))
        state = torch.load(work / "dit.pt", map_location="cpu")
        training.load(state["average"], self.transformer, self.encoder)
        self.weights_sha256 = training.sha256(state["average"])
        for module in (self.transformer, self.encoder):
            module.to(self.device).requires_grad_(False)
        self.shape = (self.transformer.config.in_channels, *latent_form("clips"))
        self.tables = fast.rope_tables(self.transformer, torch.zeros(1, *self.shape, device=self.device))
        self.forward = torch.compile(fast.transformer, dynamic=False)

    def text(self, texts):
        """Rows [B,N,D] of captions and the number of empty rows that follow them."""
        ids, mask = (t.to(self.device) for t in tokenise(self.tokenizer, texts, TEXT_ROWS))
        with torch.no_grad():
            return encode_text(self.encoder, ids, mask), torch.tensor([float(TEXT_LENGTH - ids.shape[1])], device=self.device)

    def __call__(self, x, sigma, text, padding):
        with torch.autocast(self.device.type, torch.bfloat16):
            return self.forward(self.transformer, x, torch.full((len(x),), 1000.0 * sigma, device=self.device), text, self.tables, padding).float()


def draw_paths(model, count, seed, guidance):
    """Captions, and states [B,5,z,T',H,W] at POINTS of guided paths, by the two-step Adams-Bashforth rule."""
    rng = np.random.default_rng([21, seed])
    torch.manual_seed(seed)
    texts = [captions.caption(random_scene(rng), rng) for _ in range(count)]
    grid = [shifted(u) for u in np.linspace(1, 0, BETWEEN * (len(POINTS) - 1) + 1)]
    states = []
    for start in range(0, count, TOGETHER):
        part = texts[start : start + TOGETHER]
        text, padding = model.text(part + [""] * len(part))
        x = torch.randn(len(part), *model.shape).to(model.device)
        kept, before = [x], None
        for i, (now, then) in enumerate(zip(grid[:-1], grid[1:])):
            with torch.no_grad():
                told, untold = model(torch.cat([x, x]), now, text, padding).chunk(2)
            v = untold + guidance * (told - untold)
            slope = 0.0 if before is None else (v - before[0]) / (now - before[1])
            x = x + (then - now) * (v + 0.5 * (then - now) * slope)
            before = v, now
            if (i + 1) % BETWEEN == 0:
                kept.append(x)
        states.append(torch.stack(kept, 1).half().cpu())
    return {"texts": texts, "states": torch.cat(states), "teacher": (model.weights_sha256, guidance)}


def paths(args):
    """The `paths` stage."""
    model = Model(args.work, args.device)
    for number in range(args.pieces):
        path = args.work / "paths" / f"{number:04d}.pt"
        if not path.exists() or torch.load(path).get("teacher") != (model.weights_sha256, args.guidance):
            training.save(draw_paths(model, args.paths, number, args.guidance), path)
            print(number + 1, "pieces of paths", flush=True)


def student(args):
    """The `student` stage."""
    torch.manual_seed(1)
    model = Model(args.work, args.device)
    layers = {n: m for n, m in model.transformer.blocks.named_modules() if isinstance(m, torch.nn.Linear)}
    changes = {}
    for name, layer in layers.items():
        changes[name] = LowRank(layer.weight)
        parametrize.register_parametrization(layer, "weight", changes[name])
    changes = torch.nn.ModuleDict({name.replace(".", "/"): change for name, change in changes.items()}).to(model.device)
    optimiser = torch.optim.AdamW(changes.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.0)
    average = training.Average([changes], 0.99)
    path, step = args.work / "lora.pt", 0
    state = torch.load(path, map_location=model.device) if path.exists() else {}
    teacher = (model.weights_sha256, args.guidance)
    if state.get("teacher") == teacher:
        changes.load_state_dict(state["changes"])
        average.values, average.steps = state["average"], state["step"]
        optimiser.load_state_dict(state["optimiser"])
        step = state["step"]
    pieces = [piece for piece in map(torch.load, sorted((args.work / "paths").glob("*.pt"))) if piece.get("teacher") == teacher]
    rng = np.random.default_rng([3, step])
    sigmas = [shifted(u) for u in POINTS]
    shown, losses = time.time(), []
    while step < args.steps:
        for group in optimiser.param_groups:
            group["lr"] = training.learning_rate(args.rate, step, args.steps, 50, 0.4)
        k = step % (len(POINTS) - 1)
        chosen = [pieces[p] for p in rng.integers(len(pieces), size=args.batch)]
        rows = [(piece, rng.integers(len(piece["texts"]))) for piece in chosen]
        now, then = (torch.stack([piece["states"][n, i] for piece, n in rows]).to(model.device).float() for i in (k, k + 1))
        v = model(now, sigmas[k], *model.text([piece["texts"][n] for piece, n in rows]))
        loss = (v - (now - then) / (sigmas[k] - sigmas[k + 1])).square().mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(changes.parameters(), 1.0)
        optimiser.step()
        average.update()
        step += 1
        losses.append(loss.item())
        if step % 100 == 0:
            by_step = [round(float(np.mean(losses[i::4])), 4) for i in range(4)]
            print(f"student step {step} error by step {by_step} {(time.time() - shown) / 100:.2f} s/step", flush=True)
            shown, losses = time.time(), []
            state = {"changes": changes.state_dict(), "average": average.values, "optimiser": optimiser.state_dict()}
            training.save(state | {"step": step, "teacher": teacher}, path)
    training.load(average.values, changes)
    weights = {}
    for name, change in changes.items():
        for half, values in (("lora_A", change.down), ("lora_B", change.up)):
            weights[f"transformer.blocks.{name.replace('/', '.')}.{half}.weight"] = values.detach().to("cpu", torch.bfloat16).contiguous()
    save_file(weights, args.out, metadata={"format": "pt"})
    args.out.chmod(0o644)  # safetensors lets its owner alone read it


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder of the trained model's checkpoints")
    parser.add_argument("--stage", choices=["paths", "student"], required=True)
    parser.add_argument("--pieces", type=int, default=8, help="pieces of paths that there are to be")
    parser.add_argument("--paths", type=int, default=PIECE, help="in a piece")
    parser.add_argument("--guidance", type=float, default=2.5, help="of the teacher")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--out", type=Path, help="the LoRA's file")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(1)
    {"paths": paths, "student": student}[args.stage](args)
