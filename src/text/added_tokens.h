#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

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

}  // namespace t2v
