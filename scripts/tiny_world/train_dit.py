"""Trains the transformer and the text encoder on cached latents.

The text encoder first learns to name what a caption says (`captions` stage), then both learn the rectified flow together (`flow` stage).
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import WanTransformer3DModel
from tokenizers import Tokenizer
from transformers import UMT5Config, UMT5EncoderModel

import captions
import fast
import training
from world import BACKGROUNDS, CAMERAS, COLOURS, MOTIONS, OBJECTS, RELATIONS, Scene, Thing, random_scene

TEXT_LENGTH = 512
TRANSFORMER = dict(
    patch_size=(1, 2, 2), num_attention_heads=4, attention_head_dim=32, in_channels=16, out_channels=16, text_dim=128, freq_dim=256,
    ffn_dim=512, num_layers=6, cross_attn_norm=True, qk_norm="rms_norm_across_heads", eps=1e-6, rope_max_seq_len=1024,
)
ENCODER = dict(d_model=128, d_kv=32, d_ff=256, num_layers=2, num_decoder_layers=2, num_heads=4, feed_forward_proj="gated-gelu", dropout_rate=0.0)
SHIFT = 3.0
# Questions that a caption answers: name, number of answers.
QUESTIONS = [("background", 8), ("camera", 5), ("relation", 6)] + [
    (f"{name}{i}", count) for i in range(2) for name, count in (("shape", 14), ("colour", 10), ("motion", 12), ("size", 3), ("speed", 3))
]


def new_models(pieces):
    """Untrained transformer (output layer zero) and text encoder for a vocabulary of `pieces`."""
    transformer = WanTransformer3DModel(**TRANSFORMER)
    torch.nn.init.zeros_(transformer.proj_out.weight)
    torch.nn.init.zeros_(transformer.proj_out.bias)
    rows = math.ceil(pieces / 64) * 64
    config = UMT5Config(vocab_size=rows, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, tie_word_embeddings=True, **ENCODER)
    encoder = UMT5EncoderModel(config)
    torch.nn.init.normal_(encoder.shared.weight, std=1.0)
    return transformer, encoder


def answers(scene):
    """The caption's answers to QUESTIONS as numbers; 0 stands for nothing where a scene may lack it."""
    out = [BACKGROUNDS.index(scene.background), CAMERAS.index(scene.camera)]
    out.append(RELATIONS.index(scene.relation) + 1 if scene.relation else 5 if len(scene.things) == 2 else 0)
    for i in range(2):
        if i < len(scene.things):
            thing = scene.things[i]
            shown = len(scene.things) == 1 or not scene.relation
            out += [OBJECTS.index(thing.shape) + 1, COLOURS.index(thing.colour) + 1, MOTIONS.index(thing.motion) + 1 if shown else 0]
            out += [("", "small", "large").index(thing.size), ("", "slowly", "quickly").index(thing.speed)]
        else:
            out += [0, 0, 0, 0, 0]
    return out


def tokenise(tokenizer, texts):
    """Ids and attention mask [B,N], N the longest text's length."""
    rows = [tokenizer.encode(text).ids for text in texts]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    return ids, (torch.arange(longest) < torch.tensor([len(row) for row in rows])[:, None]).long()


def encode_text(encoder, ids, mask):
    """Rows [B,N,D] of the captions, zero beyond each one's length."""
    return encoder(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]


def train_captions(args, encoder, tokenizer):
    """Teaches the encoder that each row names everything its caption says; single process, no pictures."""
    heads = torch.nn.Linear(ENCODER["d_model"], sum(count for _, count in QUESTIONS))
    parameters = [*encoder.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.0)
    rng = np.random.default_rng([args.seed, 5])
    clock, step = training.Clock(args.minutes), 0
    while clock.progress < 1:
        for group in optimiser.param_groups:
            group["lr"] = training.learning_rate(2e-3, clock.progress, step, 50)
        scenes = [random_scene(rng, two=0.25, camera=0.2, sized=0.25, speed=0.25) for _ in range(128)]
        ids, mask = tokenise(tokenizer, [captions.caption(scene, rng) for scene in scenes])
        wanted = torch.tensor([answers(scene) for scene in scenes])
        rows = encode_text(encoder, ids, mask)
        weight = mask / mask.sum()
        loss, right, start = 0.0, [], 0
        logits = heads(rows)
        for i, (_, count) in enumerate(QUESTIONS):
            part = logits[..., start : start + count]
            start += count
            target = wanted[:, i : i + 1].expand(-1, rows.shape[1])
            loss = loss + (F.cross_entropy(part.flatten(0, 1), target.flatten(), reduction="none") * weight.flatten()).sum()
            right.append((((part.argmax(-1) == target) * weight).sum()).item())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        step += 1
        if step % 50 == 0:
            print(f"captions step {step} progress {clock.progress:.2f} loss {loss.item():.3f} right {min(right):.3f}..{np.mean(right):.3f}", flush=True)
    training.save({"encoder": encoder.state_dict(), "step": step, "right": dict(zip((n for n, _ in QUESTIONS), right))}, Path(args.work) / "captions.pt")


def train_flow(rank, args):
    """Rectified flow: v = noise - x0 at x = (1 - s) x0 + s noise, s shifted towards noise; captions dropped to "" at times."""
    torch.manual_seed(args.seed)
    work = Path(args.work)
    tokenizer = Tokenizer.from_file(str(work / "tokenizer" / "tokenizer.json"))
    transformer, encoder = (m.to(args.device) for m in new_models(tokenizer.get_vocab_size()))
    encoder.load_state_dict(torch.load(work / "captions.pt", map_location=args.device)["encoder"])
    modules = [transformer, encoder]
    groups = [
        dict(params=list(transformer.parameters()), peak=args.rate),
        dict(params=list(encoder.parameters()), peak=args.rate * args.text_rate),
    ]
    parameters = [p for group in groups for p in group["params"]]
    matrices = [p for p in transformer.blocks.parameters() if p.ndim == 2]
    taken = {id(p) for p in matrices}
    groups[0]["params"] = [p for p in groups[0]["params"] if id(p) not in taken]
    optimisers = [
        torch.optim.AdamW(groups, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.0),
        torch.optim.Muon([dict(params=matrices, peak=args.rate)], lr=args.rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
    ]
    average = training.Average(modules, args.average)
    data = torch.load(work / "latents.pt", mmap=True)
    latents, covers = data["latents"], data["covers"]
    scenes = [Scene(**(row | {"things": [Thing(**thing) for thing in row["things"]]})) for row in data["scenes"]]
    mean, std = (data[k].view(1, -1, 1, 1, 1) for k in ("mean", "std"))
    path = work / "dit.pt"
    step, worked = 0, 0.0
    if path.exists():
        state = torch.load(path, map_location=args.device)
        for module, values in zip(modules, state["modules"]):
            module.load_state_dict(values)
        average.values, average.steps = state["average"], state["step"]
        for optimiser, values in zip(optimisers, state["optimisers"]):
            optimiser.load_state_dict(values)
        step, worked = state["step"], state["worked"]
    rng = np.random.default_rng([args.seed, rank, step])
    torch.manual_seed(args.seed + 1000 * step + rank)
    tables = fast.rope_tables(transformer, latents[:1].float())
    clock, shown, losses = training.Clock(args.minutes, worked), time.time(), []

    def checkpoint():
        state = {"modules": [m.state_dict() for m in modules], "average": average.values}
        state["optimisers"] = [optimiser.state_dict() for optimiser in optimisers]
        training.save(state | {"step": step, "worked": clock.worked, "samples": step * args.batch * args.workers}, path)

    while True:
        progress = training.agree(clock.progress, args.workers)
        if progress >= 1:
            break
        for group in (group for optimiser in optimisers for group in optimiser.param_groups):
            group["lr"] = training.learning_rate(group["peak"], progress, step, 100)
        chosen = np.sort(rng.integers(len(scenes), size=args.batch))
        x0 = ((latents[chosen].float() - mean) / std).to(args.device)
        texts = ["" if rng.random() < args.drop else captions.caption(scenes[i], rng) for i in chosen]
        ids, mask = (t.to(args.device) for t in tokenise(tokenizer, texts))
        u = ((torch.arange(args.batch) + torch.rand(args.batch)) / args.batch)[torch.randperm(args.batch)]
        s = (SHIFT * u / (1 + (SHIFT - 1) * u)).to(args.device)
        noise = torch.randn_like(x0)
        at = s.view(-1, 1, 1, 1, 1)
        x = (1 - at) * x0 + at * noise
        text = encode_text(encoder, ids, mask)
        v = fast.transformer(transformer, x, 1000 * s, text, tables, TEXT_LENGTH - ids.shape[1])
        weight = 1 + args.things * (covers[chosen] > 12).float().to(args.device).unsqueeze(1)
        error = (v - (noise - x0)).square()
        loss = (error * weight).mean() / weight.mean()
        transformer.zero_grad()
        encoder.zero_grad()
        loss.backward()
        training.average_gradients(parameters, args.workers)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for optimiser in optimisers:
            optimiser.step()
        average.update()
        step += 1
        losses.append(error.mean().item())
        if rank == 0 and step % 50 == 0:
            print(f"flow step {step} progress {progress:.3f} loss {np.mean(losses):.4f} {(time.time() - shown) / 50:.2f} s/step", flush=True)
            shown, losses = time.time(), []
        if rank == 0 and step % 200 == 0:
            checkpoint()
    if rank == 0:
        checkpoint()


def run(rank, args):
    if args.stage == "flow":
        return train_flow(rank, args)
    torch.manual_seed(args.seed)
    tokenizer = Tokenizer.from_file(str(Path(args.work) / "tokenizer" / "tokenizer.json"))
    train_captions(args, new_models(tokenizer.get_vocab_size())[1], tokenizer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True, help="folder of the latents, the tokenizer and the checkpoints")
    parser.add_argument("--stage", choices=["captions", "flow"], required=True)
    parser.add_argument("--minutes", type=float, required=True, help="wall-clock budget of the stage")
    parser.add_argument("--batch", type=int, default=16, help="samples per worker and step")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--text-rate", type=float, default=0.2, help="the text encoder's learning rate as a share of the transformer's")
    parser.add_argument("--average", type=float, default=0.998)
    parser.add_argument("--things", type=float, default=2.0, help="extra weight of the latents that a thing covers")
    parser.add_argument("--drop", type=float, default=0.1, help="share of captions replaced by the empty one")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.stage == "captions":
        args.workers = 1
    training.launch(run, args)
