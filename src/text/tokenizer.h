#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace t2v {

/// One prompt as the text encoder takes it.
struct TokenIds {
  std::vector<int64_t> ids;  ///< [max_length]: the real ones, then the padding id
  int64_t length = 0;        ///< real ones, the closing </s> included
  std::string dropped;       ///< the text that truncation cut off; "" if none
};

/// Cleaned prompt -> token ids. Safe to use from several threads.
class Tokenizer {
 public:
  /// Reads the `tokenizer.json` of a diffusers `tokenizer/` folder or, where there is none, its
  /// `spiece.model`. Error (kInput) for a missing or damaged file, and for one that asks for something this
  /// reader does not do.
  static std::unique_ptr<Tokenizer> open_folder(const std::filesystem::path& folder);
  /// Reads one of these two files, told by its content. Error (kInput) as open_folder().
  static std::unique_ptr<Tokenizer> open_file(const std::filesystem::path& file);
  /// The bytes of a spiece.model that came inside a checkpoint; `origin` is what errors call it. Error
  /// (kInput) as open_folder().
  static std::unique_ptr<Tokenizer> open_spiece_model(const std::string& bytes, const std::string& origin);

  /// What the pipeline gives the text encoder: special tokens added, truncated so that they stay, padded on
  /// the right. `clean_text` is valid UTF-8; Error (kInput) if `max_length` has no room for the special
  /// tokens.
  virtual TokenIds encode(std::string_view clean_text, int64_t max_length) const = 0;

  /// One more than the largest id that encode() gives.
  virtual int64_t vocab_size() const = 0;

  virtual ~Tokenizer();
};

}  // namespace t2v
