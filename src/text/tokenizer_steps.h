#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config.h"
#include "text/trie.h"

namespace t2v {

/// A token that is found in the text itself before the model splits the text.
struct AddedToken {
  int64_t id = 0;
  std::string content;
  bool single_word = false;  ///< only where no word character is beside it
  bool lstrip = false;       ///< includes the white space before it
  bool rstrip = false;       ///< includes the white space after it
};

/// Finds added tokens like the `tokenizers` package: from the left, the longest token at each position.
class AddedTokens {
 public:
  explicit AddedTokens(std::vector<AddedToken> tokens = {});

  /// Gets a part of the text: an added token or, with a null `token`, text between two of them.
  using Visit = std::function<void(std::string_view part, const AddedToken* token)>;
  /// Calls `visit` for every part of `text` in order; an empty text has none.
  void split(std::string_view text, const Visit& visit) const;

 private:
  std::vector<AddedToken> tokens_;
  Trie trie_;
};

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
