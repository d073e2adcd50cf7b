#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace t2v {

/// How names of one shape are called by diffusers. In `from`, '#' stands for a number and a '*' at the end
/// for all that follows; `to` has the same, in the same order. `to` "" drops the tensor. What '*' stands for
/// is renamed by `inner` in its turn, if there is one; a name whose rest `inner` does not know is not of this
/// shape.
struct Rename {
  std::string from, to;
  std::vector<Rename> inner = {};
};
using RenameTable = std::vector<Rename>;

/// `name` as the first entry that fits calls it; nothing if none does.
std::optional<std::string> rename(const RenameTable& table, std::string_view name);

}  // namespace t2v
