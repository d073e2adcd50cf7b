#include "text/trie.h"

#include <algorithm>

namespace t2v {
namespace {

/// A key with its first eight bytes as a number, so that sorting seldom looks at the text itself.
struct SortedKey {
  uint64_t head;
  std::string_view text;
  uint32_t index;
};

uint64_t head_of(std::string_view text) {
  uint64_t head = 0;
  for (size_t i = 0; i < 8; ++i) head = head << 8 | (i < text.size() ? static_cast<uint8_t>(text[i]) : 0u);
  return head;
}

std::vector<SortedKey> sorted(const std::vector<std::string_view>& keys) {
  std::vector<SortedKey> order;
  order.reserve(keys.size());
  for (const std::string_view key : keys) {
    order.push_back({head_of(key), key, static_cast<uint32_t>(order.size())});
  }
  std::sort(order.begin(), order.end(), [](const SortedKey& a, const SortedKey& b) {
    if (a.head != b.head) return a.head < b.head;
    const int compared = a.text.compare(b.text);
    return compared != 0 ? compared < 0 : a.index < b.index;
  });
  return order;
}

}  // namespace

Trie::Trie(const std::vector<std::string_view>& keys) {
  const std::vector<SortedKey> order = sorted(keys);
  // The keys below a node are a range of `order`; nodes are opened in the order they are made, which keeps
  // siblings together.
  struct Range {
    uint32_t begin, end;
  };
  std::vector<Range> ranges = {{0, static_cast<uint32_t>(order.size())}};
  nodes_.emplace_back();
  size_t depth = 0;
  size_t level_end = 1;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    if (i == level_end) {
      ++depth;
      level_end = nodes_.size();
    }
    auto [at, end] = ranges[i];
    for (; at < end && order[at].text.size() == depth; ++at) nodes_[i].key = order[at].index;
    nodes_[i].first_child = static_cast<uint32_t>(nodes_.size());
    while (at < end) {
      const uint32_t begin = at;
      const auto label = static_cast<uint8_t>(order[begin].text[depth]);
      while (at < end && static_cast<uint8_t>(order[at].text[depth]) == label) ++at;
      ranges.push_back({begin, at});
      nodes_.push_back({.label = label});
      ++nodes_[i].child_count;
    }
  }
}

const Trie::Node* Trie::child(const Node& parent, uint8_t label) const {
  const Node* begin = nodes_.data() + parent.first_child;
  const Node* end = begin + parent.child_count;
  const Node* found =
      std::lower_bound(begin, end, label, [](const Node& node, uint8_t l) { return node.label < l; });
  return found != end && found->label == label ? found : nullptr;
}

uint32_t Trie::find(std::string_view text) const {
  const Node* node = &nodes_[0];
  for (const char byte : text) {
    node = child(*node, static_cast<uint8_t>(byte));
    if (node == nullptr) return kNone;
  }
  return node->key;
}

}  // namespace t2v
