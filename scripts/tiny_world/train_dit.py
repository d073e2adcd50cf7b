"""Trains the transformer and the text encoder on cached latents.

The text encoder first learns to name what a caption says (`captions` stage), then the transformer learns the rectified flow (`flow` stage), on single
frames and on clips of every size and length there is, as asked. Meanwhile the middle of the transformer learns to say where the clean clip's things are,
and of which shape and colour a single one is; these outputs are not kept.

Variants go on from the plain transformer: one that continues a first frame (--image-to-video), and two experts (--expert high, --expert low), each of
which learns the noise levels on its side of BOUNDARY alone; or both, two experts that continue a first frame.
"""

import argparse
import json
import math
from dataclasses import replace
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
from world import BACKGROUNDS, CAMERAS, COLOURS, MOTIONS, OBJECTS, PART, RELATIONS, WORLD, Scene, Thing, belongs, random_scene

TEXT_LENGTH = 512
TRANSFORMER = dict(
    patch_size=(1, 2, 2), num_attention_heads=4, attention_head_dim=32, in_channels=16, out_channels=16, text_dim=128, freq_dim=256,
    ffn_dim=512, num_layers=6, cross_attn_norm=True, qk_norm="rms_norm_across_heads", eps=1e-6, rope_max_seq_len=1024,
)
ENCODER = dict(d_model=128, d_kv=32, d_ff=256, num_layers=2, num_decoder_layers=2, num_heads=4, feed_forward_proj="gated-gelu", dropout_rate=0.0)
SHIFT = 3.0  # of noise levels, in training and in the model's scheduler
HARD = ("cross", "boat", "star")  # things that take longest to learn and are shown twice as often
BOUNDARY = 0.875  # noise level from which the expert for high noise works, and below which the one for low noise
TEXT_ROWS = 20  # captions are padded to a multiple of this, so that few shapes have to be compiled
LEAN = 0.6
# Questions that a caption answers: name, number of answers.
QUESTIONS = [("background", 8), ("camera", 5), ("relation", 6)] + [
    (f"{name}{i}", count) for i in range(2) for name, count in (("shape", 14), ("colour", 10), ("motion", 12), ("size", 3), ("speed", 3))
]


def width_of(work):
    """What the transformer of a work folder has other than TRANSFORMER (widen.py)."""
    path = Path(work) / "width.json"
    return json.loads(path.read_text()) if path.exists() else {}


def new_models(pieces, image_to_video=False, width=None):
    """Untrained transformer (output layer zero) and text encoder for a vocabulary of `pieces`; `width` as from width_of().

    For image to video the transformer also sees 4 channels of mask and the first frame's 16, as Wan2.2's.
    """
    channels = {"in_channels": 2 * TRANSFORMER["in_channels"] + 4} if image_to_video else {}
    transformer = WanTransformer3DModel(**TRANSFORMER | (width or {}) | channels)
    torch.nn.init.zeros_(transformer.proj_out.weight)
    torch.nn.init.zeros_(transformer.proj_out.bias)
    heed_text(transformer)
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


def heed_text(transformer):
    """Makes the empty rows that follow the text count for little from the start: queries lean to one side, keys of empty rows to the other.

    Every caption is followed by about 500 rows of zeros, which else take nearly all of the attention and leave the text hardly audible.
    """
    with torch.no_grad():
        for block in transformer.blocks:
            attention = block.attn2
            side = torch.randn_like(attention.to_q.bias).sign()
            attention.to_q.bias.copy_(LEAN * side)
            attention.to_k.bias.copy_(-1e-3 * side)
            attention.to_v.bias.zero_()
            attention.norm_q.weight.fill_(1.5)
        for layer in (transformer.condition_embedder.text_embedder.linear_1, transformer.condition_embedder.text_embedder.linear_2):
            layer.bias.zero_()


def tokenise(tokenizer, texts, multiple=1):
    """Ids and attention mask [B,N], N the longest text's length, rounded up."""
    rows = [tokenizer.encode(text).ids for text in texts]
    longest = math.ceil(max(map(len, rows)) / multiple) * multiple
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
    part = replace(WORLD, two=0.25, camera=0.2, sized=0.25, speed=0.25)
    for step in range(args.steps):
        for group in optimiser.param_groups:
            group["lr"] = training.learning_rate(2e-3, step, args.steps, 50)
        scenes = [random_scene(rng, part=part) for _ in range(128)]
        ids, mask = tokenise(tokenizer, [captions.caption(scene, rng) for scene in scenes])
        wanted = torch.tensor([answers(scene) for scene in scenes])
        rows = encode_text(encoder, ids, mask)
        weight = mask / mask.sum()
        loss, right, start = 0.0, [], 0
        logits = heads(rows)
        for i, (_, count) in enumerate(QUESTIONS):
            named = logits[..., start : start + count]
            start += count
            target = wanted[:, i : i + 1].expand(-1, rows.shape[1])
            loss = loss + (F.cross_entropy(named.flatten(0, 1), target.flatten(), reduction="none") * weight.flatten()).sum()
            right.append((((named.argmax(-1) == target) * weight).sum()).item())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        if step % 50 == 49:
            print(f"captions step {step + 1} loss {loss.item():.3f} right {min(right):.3f}..{np.mean(right):.3f}", flush=True)
    training.save({"encoder": encoder.state_dict(), "step": args.steps, "right": dict(zip((n for n, _ in QUESTIONS), right))}, Path(args.work) / "captions.pt")


class Latents:
    """The pieces of drawn clips and single frames that are there, by their form: rows of latents, covers, scenes and first frames."""

    def __init__(self, work, first_frames, device="cpu"):
        self.work, self.first_frames, self.device = work, first_frames, device
        statistics = torch.load(work / "statistics.pt", map_location=device)
        self.mean, self.std = (statistics[k].view(1, -1, 1, 1, 1) for k in ("mean", "std"))
        self.read = set()
        self.rows = {"clips": {}, "images": {}}
        self.refresh()

    def refresh(self):
        """Takes in what has been drawn since, as far as it belongs to the part of the world that is to be learned."""
        for kind, forms in self.rows.items():
            for path in sorted(set((self.work / kind).glob("*.pt")) - self.read):
                self.read.add(path)
                piece = torch.load(path, map_location=self.device)
                rows = forms.setdefault(tuple(piece["latents"].shape[2:]), [])
                if self.first_frames and kind == "clips" and "conditions" not in piece:
                    raise SystemExit(f"{path} has no first frames: draw it again with --first-frames")
                # A single frame is its own first frame.
                first = piece["latents" if kind == "images" else "conditions"] if self.first_frames else [None] * len(piece["latents"])
                for latent, condition, cover, row in zip(piece["latents"], first, piece["covers"], piece["scenes"]):
                    scene = Scene(**(row | {"things": [Thing(**thing) for thing in row["things"]]}))
                    if belongs(scene, PART):
                        rows += [(latent, condition, cover, scene)] * (2 if scene.things[0].shape in HARD else 1)

    def batch(self, rng, kind, tokens, others):
        """Random clips or single frames of one form, as many as have about `tokens` values a channel; `others`: share of batches not of PART's form.

        Latents [B,z,T',H,W], conditions [B,4+z,T',H,W] (mask and first frame; None without `first_frames`), covers [B,T',2,2H,2W] in 0..1 and scenes.
        """
        forms = self.rows[kind]
        usual = latent_form(kind)
        rest = [form for form in forms if form != usual]
        form = rest[rng.integers(len(rest))] if rest and rng.random() < others else usual
        rows = [forms[form][n] for n in rng.integers(len(forms[form]), size=max(1, tokens // math.prod(form)))]
        latents, conditions = (
            (torch.stack([row[i] for row in rows]).float() - self.mean) / self.std if rows[0][i] is not None else None for i in (0, 1)
        )
        if conditions is not None:
            mask = torch.zeros_like(conditions[:, :4])
            mask[:, :, 0] = 1
            conditions = torch.cat([mask, conditions], 1)
        covers = torch.stack([cover for *_, cover, _ in rows]).float() / 255
        return latents, conditions, covers, [row[-1] for row in rows]


def latent_form(kind):
    """Frames, height and width of the latents of PART's clips or single frames."""
    return (1 if kind == "images" else (PART.frames + 3) // 4, PART.height // 8, PART.width // 8)


def structure_loss(output, covers, scenes):
    """How badly outputs [B,S,32+14+10] of the tokens tell the clean clip's cover in cells and, where there is one thing, its shape and colour."""
    b, t = covers.shape[:2]
    cells = covers.unflatten(4, (-1, 4)).unflatten(3, (-1, 4)).permute(0, 1, 3, 5, 2, 4, 6).reshape(b, -1, 32)
    present = cells.amax(-1) > 0.1
    single = torch.tensor([len(scene.things) == 1 for scene in scenes], device=output.device)[:, None].expand_as(present)
    loss = F.binary_cross_entropy_with_logits(output[..., :32].float(), cells)
    for start, names, key in ((32, OBJECTS, "shape"), (46, COLOURS, "colour")):
        label = torch.tensor([names.index(getattr(scene.things[0], key)) + 1 for scene in scenes], device=output.device)
        told = output[..., start : start + len(names) + 1].float()[single]
        loss = loss + 0.1 * F.cross_entropy(told, (label[:, None] * present)[single], reduction="sum") / single.sum().clamp_min(1)
    return loss


def checkpoint(work, image_to_video=False, expert=None):
    """Where the transformer, a variant of it or one of its experts is kept."""
    return Path(work) / f"dit{'-i2v' if image_to_video else ''}{f'-{expert}' if expert else ''}.pt"


def begin(modules, values):
    """Starts a variant from the averaged weights of the plain model; input channels that that one lacks count for nothing at first."""
    with torch.no_grad():
        for own, value in zip((p for module in modules for p in module.parameters()), values, strict=True):
            own.zero_()
            own[tuple(slice(length) for length in value.shape)] = value


def levels(count, expert):
    """Noise levels [B] in 0..1, evenly spread before the shift towards noise, and of one expert alone if it is named."""
    u = ((torch.arange(count) + torch.rand(count)) / count)[torch.randperm(count)]
    between = BOUNDARY / (SHIFT - (SHIFT - 1) * BOUNDARY)  # the boundary before the shift
    if expert:
        u = between + (1 - between) * u if expert == "high" else between * u
    return SHIFT * u / (1 + (SHIFT - 1) * u)


class Flow:
    """The transformer, a variant of it or one of its experts in training: rectified flow, v = noise - x0 at x = (1 - s) x0 + s noise."""

    def __init__(self, args):
        self.args, self.work = args, Path(args.work)
        torch.manual_seed(args.seed)
        self.tokenizer = Tokenizer.from_file(str(self.work / "tokenizer" / "tokenizer.json"))
        models = new_models(self.tokenizer.get_vocab_size(), args.image_to_video, width_of(self.work))
        transformer, encoder = (module.to(args.device) for module in models)
        structure = torch.nn.Linear(transformer.config.num_attention_heads * transformer.config.attention_head_dim, 56).to(args.device)
        encoder.load_state_dict(torch.load(self.work / "captions.pt", map_location=args.device)["encoder"])
        kept, modules = [transformer, encoder], [transformer, encoder, structure]
        self.path, source, self.plain = checkpoint(self.work, args.image_to_video, args.expert), checkpoint(self.work), None
        if self.path != source and source.exists():
            values = torch.load(source, map_location=args.device)["average"]
            self.plain = training.sha256(values)
            begin(kept, values)
        average = training.Average(kept, args.average)
        self.shared = training.Shared(modules, self.optimisers(transformer, encoder, structure), average, 1.0)
        self.step, self.samples, self.begun, self.log = 0, 0, 0, training.Log()
        if self.path.exists():
            self.resume(torch.load(self.path, map_location=args.device), kept)
        encoder.requires_grad_(args.text_rate > 0)
        self.data = Latents(self.work, args.image_to_video, args.device)
        self.forward = torch.compile(fast.transformer, dynamic=False)
        self.tables = {}
        self.schedule = training.Schedule(args, self.begun)
        self.stop, self.keeper = training.Stop(), training.Keeper(self.keep)

    def optimisers(self, transformer, encoder, structure):
        """AdamW, and Muon for the matrices of the blocks; each group knows its highest rate."""
        args = self.args
        matrices = [p for p in transformer.blocks.parameters() if p.ndim == 2]
        taken = {id(p) for p in matrices}
        groups = [
            dict(params=[p for p in transformer.parameters() if id(p) not in taken] + list(structure.parameters()), peak=args.rate),
            dict(params=list(encoder.parameters()), peak=args.rate * args.text_rate),
        ]
        return [
            torch.optim.AdamW(groups, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.0),
            torch.optim.Muon([dict(params=matrices, peak=args.rate)], lr=args.rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
        ]

    def resume(self, state, kept):
        if state.get("plain") != self.plain:
            raise SystemExit(f"{self.path} goes on from another model; remove it to train it anew")
        shared, peaks = self.shared, [group["peak"] for group in self.groups()]
        training.load(state["average"], *kept)
        # Of a model folder (restore.py) there is no more than the averages.
        for module, values in zip(shared.modules, state.get("modules", [])):
            module.load_state_dict(values)
        for optimiser, values in zip(shared.optimisers, state.get("optimisers", [])):
            optimiser.load_state_dict(values)
        for group, peak in zip(self.groups(), peaks):
            group["peak"] = peak
        shared.average.values, shared.average.steps = state["average"], state["step"]
        self.step, self.samples, self.log.seconds = state["step"], state["samples"], state.get("seconds", 0.0)
        self.begun = state.get("begun", 0) if "optimisers" in state else self.step

    def groups(self):
        return [group for optimiser in self.shared.optimisers for group in optimiser.param_groups]

    def keep(self):
        state = {"modules": [module.state_dict() for module in self.shared.modules], "average": self.shared.average.values}
        state |= {"optimisers": [optimiser.state_dict() for optimiser in self.shared.optimisers], "begun": self.begun}
        training.save(state | {"step": self.step, "samples": self.samples, "plain": self.plain, "seconds": self.log.spent()}, self.path)

    def loss(self, modules, rng, kind):
        """The loss of one batch, the error, that on things and that of the structure, and the number of samples; captions are dropped to "" at times."""
        args, (transformer, encoder, structure) = self.args, modules
        x0, given, covers, scenes = self.data.batch(rng, kind, args.batch * math.prod(latent_form("clips")), args.others)
        count, form = len(x0), x0.shape[2:]
        if form not in self.tables:
            self.tables[form] = fast.rope_tables(transformer, x0)
        texts = ["" if rng.random() < args.drop else captions.caption(scene, rng) for scene in scenes]
        ids, mask = (t.to(args.device) for t in tokenise(self.tokenizer, texts, TEXT_ROWS))
        s = levels(count, args.expert).to(args.device)
        noise = torch.randn_like(x0)
        at = s.view(-1, 1, 1, 1, 1)
        x = (1 - at) * x0 + at * noise
        if args.image_to_video:
            x = torch.cat([x, given], 1)
        padding = torch.tensor([float(TEXT_LENGTH - ids.shape[1])], device=args.device)
        with torch.autocast(torch.device(args.device).type, torch.bfloat16):
            text = encode_text(encoder, ids, mask).float()
            v, tokens = self.forward(transformer, x, 1000 * s, text, self.tables[form], padding, len(transformer.blocks) // 2)
            told = structure_loss(structure(tokens), covers, scenes)
        weight = 1 + args.things * (F.max_pool3d(covers.amax(2), (1, 2, 2)) > 0.05).float().unsqueeze(1)
        error = (v.float() - (noise - x0)).square()
        loss = (error * weight).mean() / weight.mean() + args.structure * told
        thing = (error * (weight > 1)).sum().item() / ((weight > 1).sum().item() * x0.shape[1] + 1)
        return loss, (error.mean().item(), thing, told.item()), count

    def work_on(self, rank):
        """One worker's steps, until there are as many as asked."""
        args, shared = self.args, self.shared
        torch._dynamo.config.recompile_limit = 64
        own = shared.own(args.workers)
        rng = np.random.default_rng([args.seed, rank, self.step])
        taken = self.step + rank
        while not self.schedule.over(self.step) and not self.stop.asked:
            loss, told, count = self.loss(own, rng, args.kinds[taken % len(args.kinds)])
            taken += 1
            loss.backward()
            with shared.lock:
                for group in self.groups():
                    group["lr"] = self.schedule.rate(group["peak"], self.step)
                shared.update(own)
                self.step += 1
                self.samples += count
                self.log.add(told)
                if self.step % 50 == 0:
                    self.log.show(f"flow step {self.step} samples {self.samples} error, on things, structure")
                if self.step % 100 == 0:
                    self.data.refresh()
                self.keeper.now_and_then()


def run(args):
    if args.stage == "flow":
        flow = Flow(args)
        torch.manual_seed(args.seed + 1000 * flow.step)
        training.launch(flow.work_on, args.workers)
        flow.keep()
        if flow.stop.asked:
            raise SystemExit("stopped; it goes on from here")
        return
    torch.manual_seed(args.seed)
    tokenizer = Tokenizer.from_file(str(Path(args.work) / "tokenizer" / "tokenizer.json"))
    train_captions(args, new_models(tokenizer.get_vocab_size())[1], tokenizer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", required=True, help="folder of the latents, the tokenizer and the checkpoints")
    parser.add_argument("--stage", choices=["captions", "flow"], required=True)
    parser.add_argument("--steps", type=int, required=True, help="steps after which to stop")
    parser.add_argument("--minutes", type=float, default=0.0, help="also stop after so many minutes, over whose last share the rate falls to zero")
    parser.add_argument("--decay", type=float, default=0.2, help="share of the steps, at the end, over which the rate falls to zero")
    parser.add_argument("--kinds", choices=["clips", "images"], nargs="+", default=["clips"], help="what the batches are of, in turn")
    parser.add_argument("--others", type=float, default=0.25, help="share of batches of other sizes and lengths, where there are any")
    parser.add_argument("--batch", type=int, default=24, help="clips of the usual form per worker and step; more of smaller and shorter ones")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--text-rate", type=float, default=0.2, help="the text encoder's learning rate as a share of the transformer's")
    parser.add_argument("--average", type=float, default=0.998)
    parser.add_argument("--things", type=float, default=2.0, help="extra weight of the latents that a thing covers")
    parser.add_argument("--structure", type=float, default=0.5, help="weight of telling the clean clip's structure")
    parser.add_argument("--drop", type=float, default=0.1, help="share of captions replaced by the empty one")
    parser.add_argument("--image-to-video", action="store_true", help="a transformer that continues a first frame; needs clips made with --first-frames")
    parser.add_argument("--expert", choices=["high", "low"], help="one of two experts, for high or low noise")
    parser.add_argument("--workers", type=int, default=1, help="threads that train together")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    run(args)
