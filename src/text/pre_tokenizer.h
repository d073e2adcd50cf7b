#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config.h"

namespace t2v {

/// A piece of text that the model splits on its own.
struct Segment {
  std::string text;
  bool at_start = false;  ///< it begins the prompt
};

/// The `pre_tokenizer` of a tokenizer.json: Sequence, WhitespaceSplit and Metaspace.
class PreTokenizer {
 public:
  /// Splits nothing.
  PreTokenizer() = default;
  /// Error (kInput) for a kind or a field that is not supported.
  explicit PreTokenizer(const Config& config);

  /// Splits a segment; no part is empty.
  std::vector<Segment> operator()(Segment segment) const;

 private:
  struct WhitespaceSplit {};
  struct Metaspace {
    enum class Prepend { kAlways, kFirst, kNever };
    std::string replacement;
    Prepend prepend;
    bool split;
  };
  void add(const Config& config);
  static Metaspace read_metaspace(const Config& config);
  static void apply(const WhitespaceSplit& step, Segment segment, std::vector<Segment>* out);
  static void apply(const Metaspace& step, Segment segment, std::vector<Segment>* out);

  std::vector<std::variant<WhitespaceSplit, Metaspace>> steps_;
};

}  // namespace t2v
