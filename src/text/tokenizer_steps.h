#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/config.h"

namespace t2v {

/// The `normalizer` of a tokenizer.json: Sequence, Strip and Replace (of a string, or of the regular
/// expression " {2,}").
class Normalizer {
 public:
  /// Changes nothing.
  Normalizer() = default;
  /// Error (kInput) for a kind or a field that is not supported.
  explicit Normalizer(const Config& config);

  std::string operator()(std::string text) const;

 private:
  struct Strip {
    bool left, right;
  };
  struct Replace {
    std::string pattern;  ///< empty: two or more spaces
    std::string content;
  };
  void add(const Config& config);

  std::vector<std::variant<Strip, Replace>> steps_;
};

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

/// The object under `key`. Error (kInput) if it is missing or of another type.
Config object_at(const Config& config, const std::string& key);
/// The list of objects under `key`. Error (kInput) if it is missing or of another type.
std::vector<Config> objects_at(const Config& config, const std::string& key);
/// Checks the keys of `config`. Error (kInput) for a key that is not in `known`, unless its value is null.
void expect_keys(const Config& config, const std::vector<std::string>& known);

}  // namespace t2v
