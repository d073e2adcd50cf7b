#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensors/weights/weights.h"

namespace t2v {

/// Place of the numbered blocks of a model between their uses.
struct BlockResidency {
  /// Number of blocks that stay on the device. Each other block is built before its use and dropped after it.
  int64_t resident = std::numeric_limits<int64_t>::max();
  /// Number of blocks that a thread of its own builds before their turn.
  int64_t ahead = 0;
  /// Place of the other blocks: the checkpoint's files, or after their first use the host's memory, pinned
  /// for a GPU.
  enum class Waiting { kFile, kHost } waiting = Waiting::kFile;
  /// Called before each block is handed out; may throw to end a long walk. May be empty.
  std::function<void()> before_each = nullptr;
};

/// Memory of a stack of numbered blocks.
struct BlockMemory {
  uint64_t all = 0, largest = 0;  ///< bytes of all blocks, and of the largest one
  int64_t count = 0;

  /// Bytes on a device where `resident` blocks stay and the others come and go.
  uint64_t on_device(int64_t resident) const;
  /// Bytes of the other blocks.
  uint64_t waiting(int64_t resident) const;

  /// The blocks whose tensors begin with `prefix` and a number.
  static BlockMemory of(const Component& component, const LoadOptions& options, std::string_view prefix);
};

/// Memory of a device during the work of a network that streams its blocks.
struct StreamedMemory {
  std::vector<BlockMemory> stacks;  ///< the same number of blocks stays of each
  uint64_t others = 0;  ///< bytes of everything else: other weights, other components, activations

  uint64_t on_device(int64_t resident) const;
  uint64_t waiting(int64_t resident) const;
  int64_t count() const;  ///< number of blocks of the largest stack

  /// `prefixes`: of the stacks; `beside`: bytes of activations and other components.
  static StreamedMemory of(const Component& component, const LoadOptions& options,
                           const std::vector<std::string>& prefixes, uint64_t beside);
};

/// Decides how many blocks stay on the device, and where the others wait. `offload`: one of kOffloads;
/// `max_vram`: in GiB. Error (kResource) if that is too little; it says how much is needed.
BlockResidency plan_blocks(const StreamedMemory& memory, const std::string& offload,
                           std::optional<double> max_vram);

}  // namespace t2v
