"""Makes a work folder of a model folder, from which make-tiny-world goes on: the inverse of export.py.

The tokenizer, the VAE, the text encoder and the transformer count as done; clips, optimisers' memories and the LoRA's paths are not in a model and begin anew.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from transformers import UMT5EncoderModel

from train_dit import checkpoint
from training import save


def values(*modules):
    """The parameters of modules, one after the other, as Average has them."""
    return [p.detach().float() for module in modules for p in module.parameters()]


def restore(folder: Path, work: Path, steps):
    """Writes what `folder` holds into the new folder `work`; `steps`: what the transformer's training is to count from."""
    work.mkdir(parents=True)
    shutil.copytree(folder / "tokenizer", work / "tokenizer")
    vae = AutoencoderKLWan.from_pretrained(folder / "vae", torch_dtype=torch.float32)
    encoder = UMT5EncoderModel.from_pretrained(folder / "text_encoder", torch_dtype=torch.float32)
    transformer = WanTransformer3DModel.from_pretrained(folder / "transformer", torch_dtype=torch.float32)
    width = {name: transformer.config[name] for name in ("num_attention_heads", "ffn_dim", "num_layers")}
    (work / "width.json").write_text(json.dumps(width) + "\n")
    save({"average": values(vae)}, work / "vae.pt")
    save({"mean": torch.tensor(vae.config.latents_mean), "std": torch.tensor(vae.config.latents_std)}, work / "statistics.pt")
    save({"encoder": encoder.state_dict()}, work / "captions.pt")
    save({"average": values(transformer, encoder), "step": steps, "samples": 0}, checkpoint(work))
    for stage in ("tokenizer", "clips", "vae-images", "vae-clips", "vae-decoder", "captions"):
        (work / f"{stage}.done").touch()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the model")
    parser.add_argument("work", type=Path, help="the work folder, which must not exist")
    parser.add_argument("--steps", type=int, default=60000, help="steps that the transformer's training is to count from (make-tiny-world's FLOW)")
    args = parser.parse_args()
    if not (args.folder / "model_index.json").exists():
        parser.error(f"{args.folder} is not a model")
    if args.work.exists():
        parser.error(f"{args.work} is there already")
    restore(args.folder, args.work, args.steps)
