#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/interface/bench_cases.h"
#include "engine/pipelines/cost_model.h"
#include "families/model_info.h"
#include "tensors/cost.h"
#include "tensors/tensor.h"

namespace t2v {

/// Sizes of the transformer of a case.
struct TransformerSizes {
  int64_t dim, ffn_dim, num_heads, num_layers;
  LatentShape latents;  ///< of the case's clip
};
TransformerSizes transformer_sizes(const BenchSpec& spec);

/// Names and shapes of the tensors of a component: "transformer", "text_encoder", or "vae", its decoder
/// alone. Error (kInput).
TensorShapes bench_tensors(std::string_view component, const Config& config);

/// A network that a case runs alone: a transformer, the decoder of a VAE, or a text encoder.
struct BenchNetwork {
  std::string component;
  int64_t num_layers = 1;
  std::string phase;  ///< of a clip: "sampling", "decoding", "text"
  NetworkSize size;
};
BenchNetwork bench_network(const BenchSpec& spec);

/// Cost of its run with this many of its layers, beside the weights.
Cost network_cost(const BenchSpec& spec, int64_t num_layers, Placement placement);

/// Loads it with random weights. Returns its run, in which `stop_if_asked` is called all the while, to throw.
std::function<void()> load_network(const BenchSpec& spec, int64_t num_layers, Placement placement,
                                   const std::function<void()>& stop_if_asked);

/// Parts of names of the transformer's tensors that stay float32: for LoadOptions::keep_in_fp32.
std::vector<std::string> transformer_keeps_in_fp32();

/// Random numbers.
Tensor random_tensor(at::IntArrayRef shape, Placement placement);

}  // namespace t2v
