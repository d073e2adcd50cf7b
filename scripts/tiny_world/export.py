"""Writes the model folder from the checkpoints of the trainings, in the diffusers layout, weights in bfloat16."""

import argparse
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline
from tokenizers import Tokenizer
from transformers import T5TokenizerFast

from train_dit import new_models
from train_vae import CONFIG as VAE_CONFIG

FLOW_SHIFT = 3.0


def load(module, values):
    """Writes a list of averaged parameters into a module."""
    with torch.no_grad():
        for p, value in zip(module.parameters(), values, strict=True):
            p.copy_(value)


def export(work: Path, folder: Path):
    """Writes `folder` anew; what has no checkpoint yet stays untrained."""
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(work / "tokenizer", new / "tokenizer")
    pieces = Tokenizer.from_file(str(new / "tokenizer" / "tokenizer.json")).get_vocab_size()
    vae = AutoencoderKLWan(**VAE_CONFIG)
    torch.manual_seed(0)
    transformer, encoder = new_models(pieces)
    if (work / "vae.pt").exists():
        load(vae, torch.load(work / "vae.pt", map_location="cpu")["average"])
    if (work / "statistics.pt").exists():
        statistics = torch.load(work / "statistics.pt", map_location="cpu")
        vae.register_to_config(latents_mean=statistics["mean"].tolist(), latents_std=statistics["std"].tolist())
    if (work / "dit.pt").exists():
        average = torch.load(work / "dit.pt", map_location="cpu")["average"]
        count = len(list(transformer.parameters()))
        load(transformer, average[:count])
        load(encoder, average[count:])
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=FLOW_SHIFT)
    tokenizer = T5TokenizerFast.from_pretrained(new / "tokenizer")
    kept = {p.name: p.read_bytes() for p in (new / "tokenizer").iterdir()}
    pipeline = WanPipeline(tokenizer, encoder, vae, scheduler, transformer)
    pipeline.to(torch.bfloat16).save_pretrained(new)
    shutil.rmtree(new / "tokenizer")
    (new / "tokenizer").mkdir()
    for name, content in kept.items():
        (new / "tokenizer" / name).write_bytes(content)
    for kind in ("transformer", "vae", "text_encoder", "scheduler"):
        for path in (new / kind).glob("*.json"):
            lines = [line for line in path.read_text().splitlines() if '"_name_or_path"' not in line]
            path.write_text("\n".join(lines) + "\n")
    index = new / "model_index.json"
    index.write_text(index.read_text().replace('"T5Tokenizer"', '"T5TokenizerFast"'))
    for path in new.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    card = folder / "README.md"
    if card.exists():
        shutil.copy(card, new / "README.md")
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    export(args.work, args.folder)
