#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "text/tokenizer.h"
#include "text/unigram.h"

namespace t2v {

/// A `tokenizer.json` of the `tokenizers` package with a Unigram model. Error (kInput).
std::unique_ptr<Tokenizer> open_tokenizer_json(const std::filesystem::path& file);

/// The bytes of a `spiece.model` of the SentencePiece library, with the special tokens and the 300
/// `<extra_id_N>` where the reference's T5 tokenizer puts them. Error (kInput).
std::unique_ptr<Tokenizer> read_spiece_model(const std::string& bytes, const std::string& origin);

/// What goes around a prompt's own tokens.
struct SpecialIds {
  std::vector<int64_t> before, after;
  int64_t padding = 0;
};

/// Truncates, adds `special`, pads. Error (kInput) if `max_length` has no room for the special tokens.
TokenIds assemble(std::vector<Token> tokens, const SpecialIds& special, int64_t max_length);

}  // namespace t2v
