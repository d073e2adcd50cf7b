#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/trie.h"

namespace t2v {

/// One entry of a vocabulary; its index in the list is its id.
struct Piece {
  std::string text;
  double score = 0;  ///< log probability
};

/// An id and its text.
struct Token {
  int64_t id = 0;
  std::string text;
};

/// The Unigram model of the `tokenizers` package (models/unigram/model.rs). It finds the segmentation with
/// the largest sum of scores. A character that no piece covers scores the lowest score minus 10; neighbouring
/// characters of that kind become one unknown token.
class Unigram {
 public:
  struct Options {
    int64_t unk_id = 0;  ///< an index into the vocabulary
    /// Replaces an unknown token by the pieces of its bytes, `<0x00>` to `<0xFF>`, if all of them exist.
    bool byte_fallback = false;
  };
  Unigram(std::vector<Piece> vocab, const Options& options);

  /// Appends the tokens of `text`, which is valid UTF-8.
  void encode(std::string_view text, std::vector<Token>* tokens) const;

  /// The id of the piece that equals `text`, or -1.
  int64_t id_of(std::string_view text) const;
  int64_t size() const { return static_cast<int64_t>(vocab_.size()); }

 private:
  std::vector<std::string_view> best_segments(std::string_view text) const;
  void append_token(std::string_view segment, std::vector<Token>* tokens) const;

  std::vector<Piece> vocab_;
  Trie trie_;
  Options options_;
  double unk_score_;
  std::vector<int64_t> byte_ids_;  ///< [256], -1 for a missing piece; empty without byte fallback
};

}  // namespace t2v
