#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/trie.h"

namespace t2v {

/// A token that is looked for in the text itself, before the model sees it.
struct AddedToken {
  int64_t id = 0;
  std::string content;
  bool single_word = false;  ///< only where no word character touches it
  bool lstrip = false;       ///< takes the white space before it
  bool rstrip = false;       ///< takes the white space after it
};

/// Finds added tokens as the `tokenizers` package does: from the left, the longest at each place.
class AddedTokens {
 public:
  explicit AddedTokens(std::vector<AddedToken> tokens = {});

  /// A part of the text: an added token, or what lies between two of them.
  using Visit = std::function<void(std::string_view part, const AddedToken* token)>;
  /// Calls `visit` for every part of `text` in order; nothing for an empty text.
  void split(std::string_view text, const Visit& visit) const;

 private:
  std::vector<AddedToken> tokens_;
  Trie trie_;
};

}  // namespace t2v
