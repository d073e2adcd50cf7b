#pragma once

#include <functional>
#include <string>

#include "families/rename.h"

namespace t2v {

/// Whether files have a tensor of this name.
using HasTensor = std::function<bool(const std::string&)>;

/// One way in which publishers name the tensors of a part of a model.
struct KeyMap {
  std::string naming;      ///< "diffusers", "original", "llama.cpp", ...
  std::string marker;      ///< a tensor that every part with these names has, and nothing else
  RenameTable table = {};  ///< to the names of diffusers; a name that it lacks stays as it is
  /// Makes entries that depend on the tensors of the file; they come before the entries of `table`.
  std::function<RenameTable(const HasTensor& has)> make_entries = nullptr;
};

}  // namespace t2v
