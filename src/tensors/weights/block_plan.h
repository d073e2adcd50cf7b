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

/// Where the numbered blocks of a model are between their uses.
struct BlockResidency {
  /// This many blocks stay on the device. Each of the others is built when it is used, and dropped after.
  int64_t resident = std::numeric_limits<int64_t>::max();
  /// This many of the others are built before their turn, by a thread of their own.
  int64_t ahead = 0;
  /// Where the others wait: in the checkpoint's files, or in the host's memory, pinned for a GPU, once they
  /// have been used.
  enum class Waiting { kFile, kHost } waiting = Waiting::kFile;
  /// Called before each block is handed out; may throw, to end a walk that takes minutes. May be empty.
  std::function<void()> before_each = nullptr;
};

/// Memory of a stack of numbered blocks.
struct BlockMemory {
  uint64_t all = 0, largest = 0;  ///< bytes of all blocks, and of the largest one
  int64_t count = 0;

  /// Bytes on a device where this many blocks stay while the others come and go.
  uint64_t on_device(int64_t resident) const;
  /// Bytes of those others.
  uint64_t waiting(int64_t resident) const;

  /// The blocks whose tensors begin with `prefix` and a number.
  static BlockMemory of(const Component& component, const LoadOptions& options, std::string_view prefix);
};

/// Memory of a device while a network at work streams its blocks.
struct StreamedMemory {
  std::vector<BlockMemory> stacks;  ///< the same number of blocks stays of each
  uint64_t others = 0;  ///< bytes of everything else: other weights, other components, activations

  uint64_t on_device(int64_t resident) const;
  uint64_t waiting(int64_t resident) const;
  int64_t count() const;  ///< of the largest stack

  /// `prefixes`: of the stacks; `beside`: bytes of activations and other components.
  static StreamedMemory of(const Component& component, const LoadOptions& options,
                           const std::vector<std::string>& prefixes, uint64_t beside);
};

/// Decides which blocks stay on the device, and where the others wait for their turn. `offload`: one of
/// kOffloads; `max_vram`: in GiB. Error (kResource) with the memory that is needed, if that is too little.
BlockResidency plan_blocks(const StreamedMemory& memory, const std::string& offload,
                           std::optional<double> max_vram);

}  // namespace t2v
