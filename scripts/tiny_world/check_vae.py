"""Tells how well the VAE gives back drawn clips that it never saw: PSNR, and what the measurement finds in the reconstructions."""

import argparse
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan

import fast
import measure
from draw import draw_one
from train_vae import CONFIG
from training import load


def psnr(error):
    return -10 * np.log10(error.mean() / 255**2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--noise", type=float, default=0.0, help="noise on the latents, as a share of each channel's spread")
    parser.add_argument("--picture", type=Path, help="drawn and given back frames of the first clips")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    fast.whole_sequence_vae()
    vae = AutoencoderKLWan(**CONFIG).eval()
    fast.frame_by_frame(vae)
    load(torch.load(args.work / "vae.pt", map_location="cpu")["average"], vae)
    rng = np.random.default_rng(99)
    whole, things, found, pictures = [], [], [], []
    while len(found) < args.count:
        scene, clip, cover = draw_one(rng, None)
        x = torch.from_numpy(clip).permute(3, 0, 1, 2)[None].float() / 127.5 - 1
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            z = fast.encode(vae, x)[0]
            z = z + args.noise * z.std((0, 2, 3, 4), keepdim=True) * torch.randn_like(z)
            y = fast.decode(vae, z.to(torch.bfloat16))
        y = ((y[0].float().clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 3, 0).numpy().astype(np.uint8)
        error = (y.astype(float) - clip) ** 2
        whole.append(psnr(error))
        things.append(psnr(error[cover > 127]))
        found.append(measure.compare(scene, measure.measure(y)))
        pictures.append(np.concatenate([np.concatenate(list(v[::4]), 1) for v in (clip, y)], 1))
    print(f"PSNR {np.mean(whole):.2f} dB, on the things {np.mean(things):.2f} dB")
    measure.show("given back", measure.table(found))
    if args.picture:
        from PIL import Image

        Image.fromarray(np.concatenate(pictures[:10])).save(args.picture)


if __name__ == "__main__":
    main()
