#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace t2v {

/// The tensors of a network that was constructed on Weights::record().
struct TensorList {
  struct Entry {
    std::vector<int64_t> shape;
    bool needed = true;  ///< false for a layer that t2v does not run
  };
  std::map<std::string, Entry, std::less<>> tensors;
  std::vector<std::string> ignored;  ///< prefixes of names that some files have and the network does not use

  /// Whether a file may have a tensor of this name.
  bool knows(std::string_view name) const;
};

}  // namespace t2v
