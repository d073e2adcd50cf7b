#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace t2v {

/// A pattern of names, and the names of diffusers for them. In `from`, '#' stands for a number and a '*' at
/// the end for the rest of the name; `to` has the same signs in the same order. `to` "" drops the tensor.
/// `inner`, if it is not empty, renames the rest behind '*'; a name whose rest `inner` does not know does not
/// match.
struct Rename {
  std::string from, to;
  std::vector<Rename> inner = {};
};
using RenameTable = std::vector<Rename>;

/// The new name of `name`, by the first entry that matches; nothing if none does.
std::optional<std::string> rename(const RenameTable& table, std::string_view name);

}  // namespace t2v
