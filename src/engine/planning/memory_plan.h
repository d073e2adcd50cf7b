#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/planning/clip_cost.h"
#include "families/wan/autoencoder_kl_wan_config.h"
#include "families/wan/transformer_wan_config.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/checked_request.h"
#include "tensors/weights/block_source.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// What CUDA keeps for itself on a GPU, in bytes: the context, cuBLAS's and cuDNN's workspaces. A typical
/// figure of CUDA 12 and 13.
constexpr uint64_t kCudaRuntime = uint64_t{700} << 20;

/// The bytes of a component's tensors that begin with `prefix`, once they are loaded.
uint64_t loaded_bytes(const Component& component, const LoadOptions& options, std::string_view prefix = "");

/// What the passes over a transformer's blocks hold at most beside the weights, in bytes: the keys and values
/// of two prompts, latents, and either the residual stream before the first block and the tensors that are
/// alive at once in a block, or `between`: what is done between two passes.
uint64_t activation_bytes(const WanTransformer3DConfig& transformer, const AutoencoderKLWanConfig& vae,
                          const ClipShape& clip, Placement placement, uint64_t between = 0);

/// Whether the transformer has a branch for a control video.
bool takes_control(const Checkpoint& checkpoint);
/// Whether the clip begins with encoding images or a control.
bool encodes_images(const Checkpoint& checkpoint, const CheckedRequest& request);
/// The prefix of the VAE's tensors that are loaded: with its encoder only for that.
std::string_view vae_prefix(const Checkpoint& checkpoint, const CheckedRequest& request);
/// The side of the tiles that the VAE works in, in pixels; empty for whole frames.
std::optional<int64_t> tile_of(const CheckedRequest& request);

/// What is sampled: the clip, behind its reference images.
ClipShape sampled_shape(const CheckedRequest& request, const AutoencoderKLWanConfig& vae);

/// What sampling a request holds at most beside the weights, in bytes: activation_bytes() with a preview
/// between the passes, what the control branch of VACE adds, what --cache-mode remembers, and a matrix of fp8
/// in the numbers that it is computed in. `component`: the transformer.
uint64_t sampling_bytes(const Checkpoint& checkpoint, const std::string& component,
                        const CheckedRequest& request, Placement placement);

/// The numbered blocks of a model.
struct BlockMemory {
  uint64_t all = 0, largest = 0;  ///< bytes; of the largest block
  int64_t count = 0;

  /// Bytes on a device where so many blocks stay while the others come and go.
  uint64_t on_device(int64_t resident) const;
  /// Bytes of those others.
  uint64_t waiting(int64_t resident) const;

  /// The blocks whose tensors begin with `prefix` and a number.
  static BlockMemory of(const Component& component, const LoadOptions& options, std::string_view prefix);
};

/// The memory of a device while a transformer is at work, in bytes.
struct TransformerMemory {
  BlockMemory blocks, control_blocks;  ///< of both as many stay
  uint64_t others = 0;  ///< everything beside the blocks: other weights, other components, activations

  uint64_t on_device(int64_t resident) const {
    return others + blocks.on_device(resident) + control_blocks.on_device(resident);
  }
  uint64_t waiting(int64_t resident) const {
    return blocks.waiting(resident) + control_blocks.waiting(resident);
  }

  /// `beside`: what activations and other components hold meanwhile.
  static TransformerMemory of(const Component& transformer, const LoadOptions& options, uint64_t beside);
};

/// Which blocks stay on the device, and where the others wait for their turn. `offload` is one of kOffloads,
/// `max_vram` in GiB. Error (kResource) if that is too little, with what is needed.
BlockResidency plan_blocks(const TransformerMemory& memory, const std::string& offload,
                           std::optional<double> max_vram);

}  // namespace t2v
