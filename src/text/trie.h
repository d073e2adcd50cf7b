#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace t2v {

/// Maps byte strings to their index in a list, and finds every string that starts at a position of a text.
class Trie {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// Of two equal keys the later one is found.
  explicit Trie(const std::vector<std::string_view>& keys);

  /// Calls `visit(length, index)` for every non-empty key that `text` starts with, the shortest first.
  template <typename Visit>
  void for_each_prefix(std::string_view text, Visit&& visit) const {
    const Node* node = &nodes_[0];
    for (size_t i = 0; i < text.size(); ++i) {
      node = child(*node, static_cast<uint8_t>(text[i]));
      if (node == nullptr) return;
      if (node->key != kNone) visit(i + 1, node->key);
    }
  }

  /// The index of the key that equals `text`, or kNone.
  uint32_t find(std::string_view text) const;

 private:
  struct Node {
    uint32_t first_child = 0;  ///< children are neighbours, in the order of their labels
    uint32_t key = kNone;
    uint16_t child_count = 0;
    uint8_t label = 0;
  };

  const Node* child(const Node& parent, uint8_t label) const;

  std::vector<Node> nodes_;
};

}  // namespace t2v
