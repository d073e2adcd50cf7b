#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace t2v {

/// The input of the text encoder for one prompt.
struct TokenIds {
  std::vector<int64_t> ids;  ///< [max_length]: the tokens of the prompt, then the padding id
  int64_t length = 0;        ///< number of tokens, with the closing </s>, without padding
  std::string dropped;       ///< the text that truncation cut off; "" if none
};

/// Maps a cleaned prompt to token ids. Safe to use from several threads.
class Tokenizer {
 public:
  /// Reads the `tokenizer.json` of a diffusers `tokenizer/` folder or, without one, its `spiece.model`. Error
  /// (kInput) for a file that is missing, damaged, or uses a feature that is not supported.
  static std::unique_ptr<Tokenizer> open_folder(const std::filesystem::path& folder);
  /// Reads one of these two files; its content tells which. Error (kInput) as open_folder().
  static std::unique_ptr<Tokenizer> open_file(const std::filesystem::path& file);
  /// Reads the bytes of a spiece.model from inside a checkpoint; errors call it `origin`. Error (kInput) as
  /// open_folder().
  static std::unique_ptr<Tokenizer> open_spiece_model(const std::string& bytes, const std::string& origin);

  /// Adds the special tokens, truncates the text's tokens so that the special ones fit, and pads on the
  /// right. `clean_text` is valid UTF-8. Error (kInput) if `max_length` has no room for the special tokens.
  virtual TokenIds encode(std::string_view clean_text, int64_t max_length) const = 0;

  /// The largest id of encode(), plus one.
  virtual int64_t vocab_size() const = 0;

  virtual ~Tokenizer();
};

}  // namespace t2v
