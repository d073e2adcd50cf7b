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

/// Names and shapes of the tensors of a component: "transformer", "text_encoder" or "vae" (the decoder
/// alone). Error (kInput).
TensorShapes bench_tensors(std::string_view component, const Config& config);

/// A network that a case runs alone: a transformer, the decoder of a VAE, or a text encoder.
struct BenchNetwork {
  std::string component;
  int64_t num_layers = 1;
  std::string phase;  ///< its phase of a clip: "sampling", "decoding", "text"
  NetworkSize size;
};
BenchNetwork bench_network(const BenchSpec& spec);

/// Cost of a run with `num_layers` layers, beside the weights.
Cost network_cost(const BenchSpec& spec, int64_t num_layers, Placement placement);

/// Loads the network with random weights. Returns its run, which calls `stop_if_asked` again and again; that
/// function throws to stop the run.
std::function<void()> load_network(const BenchSpec& spec, int64_t num_layers, Placement placement,
                                   const std::function<void()>& stop_if_asked);

/// LoadOptions::keep_in_fp32 of the transformer.
std::vector<std::string> transformer_keeps_in_fp32();

/// A tensor of normal random numbers.
Tensor random_tensor(at::IntArrayRef shape, Placement placement);

}  // namespace t2v
