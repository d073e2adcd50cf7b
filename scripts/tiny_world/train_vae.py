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


class Training:
    """The VAE in training, and where it is kept."""

    def __init__(self, args):
        self.args = args
        fast.whole_sequence_vae()
        torch.manual_seed(args.seed)
        self.vae = new_vae().to(args.device)
        fast.frame_by_frame(self.vae)
        optimiser = torch.optim.AdamW(self.vae.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.0)
        average = training.Average([self.vae], 0.995)
        self.path = Path(args.work) / "vae.pt"
        self.step, self.log = 0, training.Log()
        state = torch.load(self.path, map_location=args.device) if self.path.exists() else {}
        if state:
            average.values = state["average"]
            self.log.seconds = state.get("seconds", 0.0)
            # Of a model folder (restore.py), and of another stage, the averages alone count.
            if state.get("stage") == args.stage:
                self.vae.load_state_dict(state["vae"])
                optimiser.load_state_dict(state["optimiser"])
                self.step = average.steps = state["step"]
            else:
                training.load(average.values, self.vae)
        if args.stage == "decoder":
            for module in (self.vae.encoder, self.vae.quant_conv):
                module.requires_grad_(False)
        self.shared = training.Shared([self.vae], [optimiser], average, 0.5)
        self.clips = [np.load(p, mmap_mode="r") for p in sorted(Path(args.work).glob("clips*.npy"))]
        self.begun, self.schedule = self.step, training.Schedule(args, self.step)
        self.stop = training.Stop()
        self.keeper = training.Keeper(self.keep)

    def keep(self):
        state = {"vae": self.vae.state_dict(), "average": self.shared.average.values, "optimiser": self.shared.optimisers[0].state_dict()}
        training.save(state | {"step": self.step, "stage": self.args.stage, "seconds": self.log.spent()}, self.path)

    def loss(self, vae, rng, form):
        """The loss of one batch, with the pixel error and the divergence that it is made of."""
        args = self.args
        frames, size, share = form
        pixels, weight = batch(self.clips, rng, max(1, args.batch // share), frames, size, args.device)
        with torch.autocast(torch.device(args.device).type, torch.bfloat16):
            with torch.set_grad_enabled(args.stage != "decoder"):
                mean, log_variance = fast.encode(vae, pixels)
            z = mean + (torch.exp(0.5 * log_variance) + args.noise) * torch.randn_like(mean)
            output = fast.decode(vae, z.contiguous(memory_format=torch.channels_last_3d))
        error = (output.float() - pixels).abs()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        loss = (error * weight).sum() / (3 * weight.sum()) + args.pull * divergence
        return loss, (loss.item(), error.mean().item(), divergence.item())

    def work(self, rank):
        """One worker's steps, until there are as many as asked."""
        args, shared = self.args, self.shared
        (vae,) = own = shared.own(args.workers)
        rng = np.random.default_rng([args.seed, rank, self.begun])
        forms = IMAGES if args.stage == "images" else CLIPS
        taken = rank
        while not self.schedule.over(self.step) and not self.stop.asked:
            loss, told = self.loss(vae, rng, forms[taken % len(forms)])
            taken += 1
            loss.backward()
            with shared.lock:
                for group in shared.optimisers[0].param_groups:
                    group["lr"] = self.schedule.rate(args.rate, self.step)
                shared.update(own)
                self.step += 1
                self.log.add(told)
                if self.step % 50 == 0:
                    self.log.show(f"{args.stage} step {self.step} loss, error, divergence")
                self.keeper.now_and_then()


def train(args):
    vae = Training(args)
    training.launch(vae.work, args.workers)
    vae.keep()
    if vae.stop.asked:
        raise SystemExit("stopped; it goes on from here")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True, help="folder of the drawn clips and of the checkpoint")
    parser.add_argument("--stage", choices=["images", "clips", "decoder"], required=True)
    parser.add_argument("--steps", type=int, required=True, help="steps of the stage after which to stop")
    parser.add_argument("--minutes", type=float, default=0.0, help="also stop after so many minutes, over whose last share the rate falls to zero")
    parser.add_argument("--decay", type=float, default=0.2, help="share of the steps, at the end, over which the rate falls to zero")
    parser.add_argument("--batch", type=int, default=32, help="whole frames or clips per worker and step; more of the smaller pieces")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--pull", type=float, default=3e-4)
    parser.add_argument("--noise", type=float, default=0.05, help="more noise on the latents, so that the decoder stands the transformer's errors")
    parser.add_argument("--workers", type=int, default=1, help="threads that train together")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    train(args)
