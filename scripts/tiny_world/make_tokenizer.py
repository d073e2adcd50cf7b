"""Makes the tokenizer folder: a SentencePiece unigram model in which every word of the world is one piece, and the same as tokenizer.json."""

import argparse
import io
import json
from pathlib import Path

import numpy as np
import sentencepiece
from pydoc_data.topics import topics
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

import captions
from world import WORLD, random_scene

SPECIAL = ["<pad>", "</s>", "<s>", "<unk>"]
BYTES = [f"<0x{i:02X}>" for i in range(256)]
PIECES = 2048
WORD_SCORE = -2.0


def sentences(seed=0):
    """Captions and ordinary English (the Python manual that comes with the interpreter), one sentence a line."""
    rng = np.random.default_rng(seed)
    lines = [captions.caption(random_scene(rng, part=WORLD), rng) for _ in range(20000)]
    for text in topics.values():
        lines += [" ".join(part.split()) for part in text.split(".")]
    return [line for line in lines if 0 < len(line) < 1000]


def pieces_of(word):
    """The pieces that stand for a word: of an English one also with a capital and in capitals."""
    if not word.isascii():
        return [word]
    word = word.strip(",")
    return ["▁" + form for form in (word, word.capitalize(), word.upper())]


def add(model, word, score):
    """Adds a piece to a SentencePiece model."""
    return model.pieces.add(piece=word, score=score, type=sentencepiece_model_pb2.ModelProto.SentencePiece.NORMAL)


def train_model():
    """SentencePiece model with the world's words at a score no split of them can reach."""
    english, han = captions.words()
    words = list(dict.fromkeys(piece for word in english + han for piece in pieces_of(word)))
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences()), model_writer=written, model_type="unigram", vocab_size=PIECES - 448,
        pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="</s>", bos_piece="<s>", unk_piece="<unk>",
        byte_fallback=True, normalization_rule_name="identity", character_coverage=0.9999, num_threads=1, minloglevel=1,
    )
    model = sentencepiece_model_pb2.ModelProto.FromString(written.getvalue())
    known = {piece.piece: piece for piece in model.pieces}
    printable = [chr(c) for c in range(0x21, 0x7F)] + ["▁"]
    least = min(piece.score for piece in model.pieces)
    for word in words + printable:
        if word not in known:
            known[word] = add(model, word, least)
    for word in words:
        if len(word.strip("▁")) > 1:
            known[word].score = WORD_SCORE
    return model


def write(model, folder: Path):
    """Writes a SentencePiece model: spiece.model, tokenizer.json and the two configuration files."""
    model.trainer_spec.vocab_size = len(model.pieces)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spiece.model").write_bytes(model.SerializeToString())
    assert [p.piece for p in model.pieces[:4]] == SPECIAL and [p.piece for p in model.pieces[4:260]] == BYTES
    fast = Tokenizer(models.Unigram([(p.piece, p.score) for p in model.pieces], unk_id=3, byte_fallback=False))
    fast.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    fast.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    fast.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    fast.add_special_tokens(SPECIAL)
    fast.save(str(folder / "tokenizer.json"))
    names = {"pad_token": "<pad>", "eos_token": "</s>", "bos_token": "<s>", "unk_token": "<unk>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(names, indent=2) + "\n")
    added = {str(i): {"content": s, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True} for i, s in enumerate(SPECIAL)}
    settings = {
        "added_tokens_decoder": added, "additional_special_tokens": [], "clean_up_tokenization_spaces": False, "extra_ids": 0,
        "model_max_length": 512, "tokenizer_class": "T5Tokenizer", **names,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def check(folder: Path, count=2000):
    """Compares tokenizer.json, spiece.model and the transformers class on captions; every caption must be free of unknown pieces."""
    from transformers import AutoTokenizer, T5TokenizerFast

    fast = Tokenizer.from_file(str(folder / "tokenizer.json"))
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    others = [AutoTokenizer.from_pretrained(folder), T5TokenizerFast.from_pretrained(folder)]
    rng = np.random.default_rng(7)
    texts = [""] + [captions.caption(random_scene(rng, part=WORLD), rng) for _ in range(count)]
    texts += [captions.chinese(random_scene(rng, part=WORLD), rng, True, i % 2 == 0, 1.0) for i in range(count)]
    texts += ["A red ball, 4K!", "What is the meaning of this?"]
    for text in texts:
        ids = fast.encode(text).ids
        assert 3 not in ids and ids[-1] == 1, text
        assert pieces.encode(text) + [1] == ids, text
        for other in others:
            assert len(other) == fast.get_vocab_size()
            assert other(text).input_ids == ids, (text, other(text).input_ids, ids)
    for word in ("red", "violet", "triangle", "bounces", "rotates", "snow"):
        assert len(fast.encode(word).ids) == 2, word
    return max(len(fast.encode(text).ids) for text in texts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    model = train_model()
    write(model, folder)
    print(len(model.pieces), "pieces; longest caption", check(folder), "tokens")
