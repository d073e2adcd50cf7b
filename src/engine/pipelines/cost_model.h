#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "families/latent_geometry.h"
#include "files/checkpoints/checkpoint.h"
#include "tensors/tensor.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// How a clip loads a component.
struct ComponentUse {
  LoadOptions options;
  std::string prefix = "";               ///< of the tensors that are loaded
  bool is_copied = false;                ///< the CPU computes with copies, not with the mapped file
  std::vector<std::string> blocks = {};  ///< prefixes of its stacks of blocks
};

/// Bytes that CUDA keeps for itself on a GPU: the context, cuBLAS's and cuDNN's workspaces. A typical figure
/// of CUDA 12 and 13.
constexpr uint64_t kCudaRuntime = uint64_t{700} << 20;

/// Work of a component, beside its weights.
struct ComponentWork {
  std::string component;
  double flops = 0;       ///< of products, convolutions and attention
  double bytes = 0;       ///< of the device, the most that is allocated at once
  double host_bytes = 0;  ///< of the host beside them
};

/// The sizes of a network that decide, beside the flops, how long its work takes.
struct NetworkSize {
  int64_t width = 1;   ///< of the hidden states
  int64_t length = 1;  ///< tokens; of a VAE, pixels of a frame
};

/// The cost of a clip with the networks of its family, from configurations and headers of files alone.
/// Functions throw Error (kInput) for a component that is absent or has an impossible configuration.
class CostModel {
 public:
  virtual ~CostModel() = default;

  /// Latents and tokens of sampling, reference images included. Without a transformer there are no tokens.
  virtual LatentShape latents() const = 0;
  virtual ComponentUse use(const std::string& component) const = 0;
  virtual NetworkSize size(const std::string& component) const = 0;

  /// Encoding one prompt.
  virtual ComponentWork text() const = 0;
  /// Encoding images and videos that the request gives, one component after the other; empty without any.
  virtual std::vector<ComponentWork> conditions() const = 0;
  /// One forward pass of a transformer; the bytes are the peak of all steps.
  virtual ComponentWork sampling(const std::string& component) const = 0;
  virtual ComponentWork decoding() const = 0;
};

/// Bytes on a device beside a transformer at work and its weights: the VAE, the work itself, and on a GPU the
/// CUDA runtime.
uint64_t bytes_beside(const CostModel& costs, const Checkpoint& checkpoint, const std::string& transformer,
                      Placement placement);

}  // namespace t2v
