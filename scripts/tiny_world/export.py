"""Writes the model folder from the checkpoints of the trainings, in the diffusers layout, weights in bfloat16."""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanImageToVideoPipeline, WanPipeline
from transformers import T5TokenizerFast

from train_dit import BOUNDARY, SHIFT, TRANSFORMER, checkpoint, new_models, width_of
from train_vae import CONFIG as VAE_CONFIG
from training import load


def trained(work, pieces, image_to_video, expert=None):
    """Transformer and text encoder of a checkpoint; untrained where there is none yet."""
    torch.manual_seed(0)
    modules = new_models(pieces, image_to_video, width_of(work))
    path = checkpoint(work, image_to_video, expert)
    if path.exists():
        load(torch.load(path, map_location="cpu")["average"], *modules)
    return modules


def pipeline_of(work, tokenizer, vae, scheduler, image_to_video, two_experts):
    """The pipeline of a variant; two experts share the text encoder of the one for high noise."""
    kind = WanImageToVideoPipeline if image_to_video else WanPipeline
    transformer, encoder = trained(work, len(tokenizer), image_to_video, "high" if two_experts else None)
    parts = dict(tokenizer=tokenizer, text_encoder=encoder, vae=vae, scheduler=scheduler, transformer=transformer)
    if two_experts:
        parts |= dict(transformer_2=trained(work, len(tokenizer), image_to_video, "low")[0], boundary_ratio=BOUNDARY)
    return kind(**parts)


def export(work: Path, folder: Path, image_to_video=False, two_experts=False):
    """Writes `folder` anew, but for its card and LoRAs; what has no checkpoint yet stays untrained."""
    config = folder / "transformer" / "config.json"
    if folder.exists() and any(folder.iterdir()) and (not config.exists() or json.loads(config.read_text()).get("text_dim") != TRANSFORMER["text_dim"]):
        raise SystemExit(f"{folder} is no model of these scripts: it stays as it is")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".tiny-world-"))
    new = aside / "new"
    shutil.copytree(work / "tokenizer", new / "tokenizer")
    vae = AutoencoderKLWan(**VAE_CONFIG)
    if (work / "vae.pt").exists():
        load(torch.load(work / "vae.pt", map_location="cpu")["average"], vae)
    if (work / "statistics.pt").exists():
        statistics = torch.load(work / "statistics.pt", map_location="cpu")
        vae.register_to_config(latents_mean=statistics["mean"].tolist(), latents_std=statistics["std"].tolist())
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, num_train_timesteps=1000, flow_shift=SHIFT)
    tokenizer = T5TokenizerFast.from_pretrained(new / "tokenizer")
    kept = {p.name: p.read_bytes() for p in (new / "tokenizer").iterdir()}
    pipeline = pipeline_of(work, tokenizer, vae, scheduler, image_to_video, two_experts)
    pipeline.to(torch.bfloat16).save_pretrained(new)
    shutil.rmtree(new / "tokenizer")
    (new / "tokenizer").mkdir()
    for name, content in kept.items():
        (new / "tokenizer" / name).write_bytes(content)
    for kind in ("transformer", "transformer_2", "vae", "text_encoder", "scheduler"):
        for path in (new / kind).glob("*.json"):
            lines = [line for line in path.read_text().splitlines() if '"_name_or_path"' not in line]
            path.write_text("\n".join(lines) + "\n")
    index = new / "model_index.json"
    index.write_text(index.read_text().replace('"T5Tokenizer"', '"T5TokenizerFast"'))
    for path in new.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    for name in ("README.md", "failures.png"):
        if (folder / name).exists():
            shutil.copy(folder / name, new / name)
    if (folder / "loras").exists():
        shutil.copytree(folder / "loras", new / "loras")
    if folder.exists():
        folder.rename(aside / "old")
    new.rename(folder)
    shutil.rmtree(aside)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--image-to-video", action="store_true", help="the variant that continues a first frame")
    parser.add_argument("--two-experts", action="store_true", help="the variant with one transformer for high noise and one for low")
    args = parser.parse_args()
    export(args.work, args.folder, args.image_to_video, args.two_experts)
