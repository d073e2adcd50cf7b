#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "text/tokenizer.h"
#include "text/unigram.h"

namespace t2v {

/// Reads a `tokenizer.json` of the `tokenizers` package with a Unigram model. Error (kInput).
std::unique_ptr<Tokenizer> open_tokenizer_json(const std::filesystem::path& file);

/// Reads the bytes of a `spiece.model` of the SentencePiece library. Special tokens and the 300
/// `<extra_id_N>` have the ids of the reference's T5 tokenizer. Error (kInput).
std::unique_ptr<Tokenizer> read_spiece_model(const std::string& bytes, const std::string& origin);

/// The ids around the tokens of a prompt.
struct SpecialIds {
  std::vector<int64_t> before, after;
  int64_t padding = 0;
};

/// Truncates, adds the special ids, pads. Error (kInput) if `max_length` has no room for the special tokens.
TokenIds assemble(std::vector<Token> tokens, const SpecialIds& special, int64_t max_length);

}  // namespace t2v
