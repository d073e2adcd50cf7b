#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "autoencoders/autoencoder_kl_wan_config.h"
#include "checkpoints/checkpoint.h"
#include "pipelines/clip_cost.h"
#include "transformers/transformer_wan_config.h"
#include "weights/block_source.h"
#include "weights/weights.h"

namespace t2v {

/// What CUDA keeps for itself on a GPU, in bytes: the context, cuBLAS's and cuDNN's workspaces. A typical
/// figure of CUDA 12 and 13.
constexpr uint64_t kCudaRuntime = uint64_t{700} << 20;

/// The bytes of a component's tensors that begin with `prefix`, once they are loaded.
uint64_t loaded_bytes(const Component& component, const LoadOptions& options, std::string_view prefix = "");

/// What the passes over a transformer's blocks hold at most beside the weights, in bytes: the keys and values
/// of two prompts, latents, and the tensors that are alive at once in a block.
uint64_t activation_bytes(const WanTransformer3DConfig& transformer, const AutoencoderKLWanConfig& vae,
                          const ClipShape& clip, Placement placement);

/// What is on a device, in bytes, beside a transformer at work: the VAE, activation_bytes(), and on a GPU
/// what CUDA keeps for itself. `component`: the transformer.
uint64_t bytes_beside(const Checkpoint& checkpoint, const std::string& component, const ClipShape& clip,
                      Placement placement);

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
