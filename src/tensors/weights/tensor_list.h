#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace t2v {

/// The tensors of a network, written down while it was constructed on Weights::record().
struct TensorList {
  struct Entry {
    std::vector<int64_t> shape;
    bool needed = true;  ///< false for layers that t2v does not run
  };
  std::map<std::string, Entry, std::less<>> tensors;
  std::vector<std::string> ignored;  ///< prefixes of names that no network has and some files do

  /// Whether a file may have a tensor of this name.
  bool knows(std::string_view name) const;
};

}  // namespace t2v
