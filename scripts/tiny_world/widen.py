"""Widens the transformer of a work folder, so that it answers almost as before and has room to learn more.

New channels of the residual stream are written by nothing at first and read at random; new heads and new rows of the feed-forward have an output of zero.
The layer norms see more channels, with nothing in the new ones: what they give grows by the root of the widths' ratio, which the modulation takes back.
What is left of a difference comes from the mean over the channels, which is not zero, and from the last modulation, whose shift is its scale.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer

import training
from train_dit import TRANSFORMER, checkpoint, new_models, width_of


WRITERS = ("patch_embedding", "to_out.0", "ffn.net.2")  # their new rows, and new columns, are zero
SPREAD = ("time_embedder.linear_2", "text_embedder.linear_2", "time_proj", "proj_out")  # old rows do not read what is new before them
FAINT = 0.1  # of an old head's queries and keys, those of a new one: the norm over all heads hardly sees them


def corner(new, old, filled):
    """Writes an old tensor into the corner of a new one, `filled` telling what is left in old rows' new columns, and in new rows."""
    columns, rows = filled
    if new.ndim > 1:
        new[: old.shape[0], old.shape[1] :] *= columns
    new[old.shape[0] :] *= rows
    new[tuple(slice(length) for length in old.shape)] = old


def modulation(new, old, ratio, own):
    """Writes shift, scale and gate, [parts, channels, ...], so that 1 + scale is `ratio` times as large; `own`: these are the tables, which also open the new gates."""
    new.zero_()
    for i, part in enumerate(old):
        target = new[i][tuple(slice(length) for length in part.shape)]
        if i % 3 != 1:
            target.copy_(part)
            if own and i % 3 == 2:
                new[i][len(part) :] = part.abs().mean()
        else:
            target.copy_(part * ratio)
            if own:
                new[i] += ratio - 1


def widen(old, new):
    """Writes the weights of a transformer into a wider one, which has been initialised at random."""
    before, after = (m.config.num_attention_heads * m.config.attention_head_dim for m in (old, new))
    ratio = (before / after) ** 0.5
    theirs = dict(old.named_parameters())
    for name, p in new.named_parameters():
        value = theirs[name]
        layer = name.rpartition(".")[0]
        if "time_proj" in name:
            modulation(p.view(6, after, *p.shape[1:]), value.view(6, before, *value.shape[1:]), ratio, False)
        elif name.endswith("scale_shift_table") and p.shape[1] == 6:
            modulation(p[0], value[0], ratio, True)
        elif name == "scale_shift_table":
            p.zero_()
            corner(p[0].T, value[0].T, (0, 0))
        elif layer.endswith(("norm_q", "norm_k")):
            p.fill_(value.mean() / FAINT)
            p[: len(value)] = value
            p *= ratio
        elif layer.endswith("norm2"):
            corner(p, value * ratio if name.endswith("weight") else value, (0, 1))
        elif layer.endswith(WRITERS):
            corner(p, value, (0, 0))
        elif layer.endswith(SPREAD):
            corner(p, value, (0, 1))
        elif layer.endswith(("attn2.to_k", "attn2.to_v")):
            corner(p, value, (0, FAINT if layer.endswith("to_k") else 1))
        elif layer.endswith(("to_q", "to_k")):
            corner(p, value, (1, FAINT))
        else:
            corner(p, value, (1, 1))
    new.proj_out.weight *= ratio


def rewrite(work, width, wider):
    """Replaces the checkpoint of a work folder by the wider model's averages, without the optimisers' memories."""
    pieces = Tokenizer.from_file(str(work / "tokenizer" / "tokenizer.json")).get_vocab_size()
    state = torch.load(checkpoint(work), map_location="cpu")
    old, encoder = new_models(pieces, width=width)
    training.load(state["average"], old, encoder)
    new, _ = new_models(pieces, width=wider)
    with torch.no_grad():
        widen(old, new)
    average = [p.detach() for module in (new, encoder) for p in module.parameters()]
    training.save({"average": average, "step": state["step"], "samples": state["samples"]}, checkpoint(work))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--heads", type=int, default=6, help="of 32 channels each")
    parser.add_argument("--ffn", type=int, default=768, help="rows of the feed-forward")
    args = parser.parse_args()
    torch.manual_seed(7)
    width = width_of(args.work)
    wider = TRANSFORMER | width | {"num_attention_heads": args.heads, "ffn_dim": args.ffn}
    wider = {name: wider[name] for name in ("num_attention_heads", "ffn_dim", "num_layers")}
    now = {name: (TRANSFORMER | width)[name] for name in wider}
    if any(wider[name] < now[name] for name in wider):
        parser.error(f"it is wider already: {now}")
    if wider != now and checkpoint(args.work).exists():
        rewrite(args.work, width, wider)
    (args.work / "width.json").write_text(json.dumps(wider) + "\n")


if __name__ == "__main__":
    main()
