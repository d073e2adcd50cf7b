#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autoencoders/autoencoder_kl_wan_config.h"
#include "checkpoints/component.h"
#include "transformers/transformer_wan_config.h"
#include "weights/block_source.h"
#include "weights/weights.h"

namespace t2v {

/// The bytes of a component's tensors that begin with `prefix`, once they are loaded.
uint64_t loaded_bytes(const Component& component, const LoadOptions& options, std::string_view prefix = "");

/// Height and width in pixels.
struct ClipShape {
  int64_t num_frames, height, width;
};
/// About how much one forward pass holds beside the weights, an upper bound: the residual stream, queries,
/// keys and values, the inside of the feed-forward, and the float32 copies that norms and rotations take.
uint64_t activation_bytes(const WanTransformer3DConfig& transformer, const AutoencoderKLWanConfig& vae,
                          const ClipShape& clip, at::ScalarType dtype);

/// The memory of a device while a transformer is at work, in bytes.
struct TransformerMemory {
  uint64_t blocks = 0;   ///< all of them
  uint64_t largest = 0;  ///< the largest block
  int64_t count = 0;     ///< of blocks
  uint64_t others = 0;   ///< everything beside the blocks: other weights, other components, activations

  /// `beside`: what activations and other components hold meanwhile.
  static TransformerMemory of(const Component& transformer, const LoadOptions& options, uint64_t beside);
};

/// Which blocks stay on the device, and where the others wait for their turn. `offload` is one of kOffloads,
/// `max_vram` in GiB. Error (kResource) if that is too little, with what is needed.
BlockResidency plan_blocks(const TransformerMemory& memory, const std::string& offload,
                           std::optional<double> max_vram);

}  // namespace t2v
