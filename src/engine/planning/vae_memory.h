#pragma once

#include <cstdint>
#include <optional>

#include "engine/planning/clip_cost.h"
#include "families/wan/autoencoder_kl_wan_config.h"

namespace t2v {

/// What allocating costs on a device.
struct AllocationCost {
  /// Tensors below this many bytes take `overhead` times what they hold, and the larger the less, down to
  /// `least_overhead`.
  uint64_t small = 0;
  double overhead = 1, least_overhead = 1;
  /// Tensors that a norm holds at once beside what it is given.
  int64_t norm_tensors = 1;
  /// Whether adding a convolution to a sum needs a tensor of its own.
  bool convolution_needs_sum = false;
};
/// On the CPU: glibc's heap is left with holes by tensors that it does not map one by one.
AllocationCost host_allocation();
AllocationCost gpu_allocation();

/// The most bytes that the VAE's decoder holds at once beside its weights, in float32: the frames that its
/// causal layers remember, what is computed with, and the pixels on their way out. With `tile` (pixels) it
/// decodes squares of that side.
double decode_bytes(const AutoencoderKLWanConfig& vae, const ClipShape& clip, const AllocationCost& cost,
                    std::optional<int64_t> tile = std::nullopt);

/// The same of its encoder, which is given the frames that belong to a latent frame at once.
double encode_bytes(const AutoencoderKLWanConfig& vae, const ClipShape& clip, const AllocationCost& cost,
                    std::optional<int64_t> tile = std::nullopt);

}  // namespace t2v
