#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config.h"

namespace t2v {

/// A stretch of text that the model sees on its own.
struct Segment {
  std::string text;
  bool at_start = false;  ///< it starts where the prompt starts
};

/// The `pre_tokenizer` of a tokenizer.json: Sequence, WhitespaceSplit and Metaspace.
class PreTokenizer {
 public:
  /// Nothing to do.
  PreTokenizer() = default;
  /// Error (kInput) naming a kind or a field that is not supported.
  explicit PreTokenizer(const Config& config);

  /// The segments of `segment`, none of them empty.
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
