"""Teaches a finished model the words of captions.SYNONYMS that its captions did not have, without training.

Each becomes a piece of the tokenizer, and its embedding is that of the word it stands for: prompts that are cut into pieces alike make the same clip with the
one as with the other. Prompts in which none of these words stands, not even across two others, keep their pieces and their clips.
"""

import argparse
import json
import math
from pathlib import Path

from safetensors.torch import load_file, save_file
from sentencepiece import sentencepiece_model_pb2

import captions
import make_tokenizer


def pairs():
    """Pieces of new words, each with the piece that it stands for, which a tokenizer need not have."""
    for word, others in captions.SYNONYMS.items():
        for script in ({}, captions.TRADITIONAL):
            for other in others:
                new, old = (make_tokenizer.pieces_of(text.translate(script)) for text in (other, word))
                yield from zip(new, old)
                if not word.isascii():
                    yield "在" + new[0], "在" + old[0]


def add_words(folder: Path):
    """Changes the tokenizer and the text encoder of a model folder; returns the number of pieces that were given an embedding."""
    model = sentencepiece_model_pb2.ModelProto.FromString((folder / "tokenizer" / "spiece.model").read_bytes())
    rows = {piece.piece: i for i, piece in enumerate(model.pieces)}
    copies = {}
    for new, old in pairs():
        if old not in rows:
            continue
        if new not in rows:
            rows[new] = len(model.pieces)
            make_tokenizer.add(model, new, make_tokenizer.WORD_SCORE)
        copies.setdefault(rows[new], rows[old])  # of a word that both scripts write alike, the simplified one's
    make_tokenizer.write(model, folder / "tokenizer")
    make_tokenizer.check(folder / "tokenizer")
    path = folder / "text_encoder" / "model.safetensors"
    weights = load_file(path)
    known = weights["shared.weight"]
    table = known.new_zeros(math.ceil(len(rows) / 64) * 64, known.shape[1])
    table[: len(known)] = known
    table[list(copies)] = table[list(copies.values())]
    save_file(weights | {"shared.weight": table}, path, {"format": "pt"})
    path.chmod(0o644)  # safetensors lets its owner alone read it
    path = folder / "text_encoder" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"vocab_size": len(table)}, indent=2) + "\n")
    return len(copies)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the model, which is changed")
    print(add_words(parser.parse_args().folder), "pieces")
