"""Trains the VAE: first on single frames, then on clips, then its decoder alone, while the latents already serve the transformer.

The loss is the absolute pixel error, with the pixels of the things weighted, and a small pull of the latents to the normal distribution.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKLWan

import fast
import training

CONFIG = dict(base_dim=16, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=1, attn_scales=[], temperal_downsample=[False, True, True])

# Forms of the batches, in turn: frames, side of a piece (0: the whole frame), share of the batch.
IMAGES = [(1, 32, 1)] * 11 + [(1, 0, 4)]
CLIPS = [(5, 48, 1), (9, 48, 2), (9, 0, 4), (5, 48, 1), (9, 48, 2), (17, 0, 8)]
ON_THINGS = 0.75  # share of the pieces that are around a thing; the others are anywhere


def new_vae():
    """An untrained VAE whose temporal filters leave each frame to itself, so that what single frames teach holds for clips."""
    vae = AutoencoderKLWan(**CONFIG)
    with torch.no_grad():
        for name, module in vae.named_modules():
            if isinstance(module, torch.nn.Conv3d) and module.kernel_size == (3, 3, 3):
                module.weight[:, :, :2] = 0
            elif name.endswith("time_conv"):
                out, channels = module.weight.shape[:2]
                module.weight.zero_()
                module.bias.zero_()
                same = torch.eye(channels)
                if out == channels:
                    module.weight[:, :, 1:, 0, 0] = 0.5 * same[:, :, None]
                else:
                    module.weight[:, :, 2, 0, 0] = torch.cat([same, same])
        vae.quant_conv.bias[CONFIG["z_dim"] :] = -5.0
    for module in vae.modules():
        if isinstance(module, torch.nn.Conv3d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last_3d)
        elif isinstance(module, torch.nn.Conv2d):
            module.weight.data = module.weight.data.contiguous(memory_format=torch.channels_last)
    return vae


def batch(clips, rng, count, frames, size, device):
    """Random pieces of clips: pixels [B,3,T,S,S] in -1..1 and pixel weights [B,1,T,S,S].

    Pixels of things weigh 7 times, and those that differ from their surroundings, as edges and landmarks do, up to 4 more.
    """
    pieces = []
    for _ in range(count):
        source = clips[rng.integers(len(clips))]
        n = rng.integers(len(source))
        t = rng.integers(0, source.shape[1] - frames + 1)
        clip = source[n, t : t + frames]
        room = np.array(clip.shape[1:3]) - size
        if size:
            places = np.argwhere(clip[rng.integers(frames), ..., 3] > 127)
            if len(places) and rng.random() < ON_THINGS:
                middle = places[rng.integers(len(places))] + rng.integers(-12, 13, 2)
            else:
                middle = rng.integers(0, room + size)
            corner = np.clip(middle - size // 2, 0, room)
            clip = clip[:, corner[0] : corner[0] + size, corner[1] : corner[1] + size]
        pieces.append(clip)
    piece = torch.from_numpy(np.stack(pieces)).to(device).permute(0, 4, 1, 2, 3).float()
    weight = 1 + 6 * torch.nn.functional.max_pool3d(piece[:, 3:] / 255, (1, 3, 3), 1, (0, 1, 1))
    pixels = (piece[:, :3] / 127.5 - 1).contiguous(memory_format=torch.channels_last_3d)
    around = torch.nn.functional.avg_pool3d(pixels, (1, 9, 9), 1, (0, 4, 4), count_include_pad=False)
    return pixels, weight + 4 * (3 * (pixels - around).abs().mean(1, keepdim=True)).clamp(0, 1)


def train(rank, args):
    fast.whole_sequence_vae()
    torch.manual_seed(args.seed)
    vae = new_vae().to(args.device)
    fast.frame_by_frame(vae)
    optimiser = torch.optim.AdamW(vae.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.0)
    average = training.Average([vae], 0.995)
    path = Path(args.work) / "vae.pt"
    step, stage = 0, args.stage
    if path.exists():
        state = torch.load(path, map_location=args.device)
        vae.load_state_dict(state["vae"])
        average.values = state["average"]
        if state["stage"] == stage:
            optimiser.load_state_dict(state["optimiser"])
            step = average.steps = state["step"]
    if stage == "decoder":
        if step == 0:
            training.load(average.values, vae)
        for module in (vae.encoder, vae.quant_conv):
            module.requires_grad_(False)
    rng = np.random.default_rng([args.seed, rank, step])
    torch.manual_seed(args.seed + 1000 * step + rank)
    forms = IMAGES if stage == "images" else CLIPS
    clips = [np.load(p, mmap_mode="r") for p in sorted(Path(args.work).glob("clips*.npy"))]
    shown, losses = time.time(), []
    while step < args.steps:
        for group in optimiser.param_groups:
            group["lr"] = training.learning_rate(args.rate, step, args.steps, decay=args.decay)
        frames, size, share = forms[step % len(forms)]
        count = max(1, args.batch // share)
        pixels, weight = batch(clips, rng, count, frames, size, args.device)
        with torch.autocast(torch.device(args.device).type, torch.bfloat16):
            with torch.set_grad_enabled(stage != "decoder"):
                mean, log_variance = fast.encode(vae, pixels)
            z = mean + (torch.exp(0.5 * log_variance) + args.noise) * torch.randn_like(mean)
            output = fast.decode(vae, z.contiguous(memory_format=torch.channels_last_3d))
        error = (output.float() - pixels).abs()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        loss = (error * weight).sum() / (3 * weight.sum()) + args.pull * divergence
        optimiser.zero_grad()
        loss.backward()
        training.average_gradients(list(vae.parameters()), args.workers)
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 0.5)
        optimiser.step()
        average.update()
        step += 1
        losses.append((loss.item(), error.mean().item(), divergence.item()))
        if rank == 0 and step % 50 == 0:
            print(f"{stage} step {step} loss {np.mean(losses, 0).round(4)} std {mean.std().item():.2f} {(time.time() - shown) / 50:.2f} s/step", flush=True)
            shown, losses = time.time(), []
        if rank == 0 and step % 100 == 0:
            save(vae, average, optimiser, step, stage, path)
    if rank == 0:
        save(vae, average, optimiser, step, stage, path)


def save(vae, average, optimiser, step, stage, path):
    training.save({"vae": vae.state_dict(), "average": average.values, "optimiser": optimiser.state_dict(), "step": step, "stage": stage}, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True, help="folder of the drawn clips and of the checkpoint")
    parser.add_argument("--stage", choices=["images", "clips", "decoder"], required=True)
    parser.add_argument("--steps", type=int, required=True, help="steps of the stage after which to stop")
    parser.add_argument("--decay", type=float, default=0.2, help="share of the steps, at the end, over which the rate falls to zero")
    parser.add_argument("--batch", type=int, default=32, help="whole frames or clips per worker and step; more of the smaller pieces")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--pull", type=float, default=3e-4)
    parser.add_argument("--noise", type=float, default=0.05, help="more noise on the latents, so that the decoder stands the transformer's errors")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    training.launch(train, args)
