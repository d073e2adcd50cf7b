#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/config.h"
#include "networks/transformers/transformer_wan.h"
#include "unit/tensors.h"

namespace t2v::testing {

/// One of the small checkpoints in fixtures/transformers with what the reference computes from it.
class Variant {
 public:
  explicit Variant(const std::string& name)
      : golden(Weights::open_file(file(name, ".safetensors"), {})),
        config(Config::read(file(name, ".json"))),
        name_(name) {}

  Weights weights(at::ScalarType dtype = at::kFloat) const {
    const LoadOptions options{.placement = {.dtype = dtype},
                              .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()};
    return Weights::open_file(file(name_, ".safetensors"), options)["weights"];
  }
  /// The prompts with the zero rows that follow them, 512 in all.
  Tensor prompt_embeds() const {
    const Tensor rows = golden.tensor("encoder_hidden_states");
    return at::constant_pad_nd(rows, {0, 0, 0, 512 - rows.size(1)});
  }
  std::optional<Tensor> image_embeds() const {
    if (!golden.has("encoder_hidden_states_image")) return std::nullopt;
    return golden.tensor("encoder_hidden_states_image");
  }
  /// How far the reference's bfloat16 is from its float32.
  double bfloat16_distance() const {
    return relative_error(golden.tensor("bfloat16"), golden.tensor("float32"));
  }

  Weights golden;
  Config config;

 private:
  static std::filesystem::path file(const std::string& name, const std::string& extension) {
    return std::filesystem::path(T2V_FIXTURES) / "transformers" / (name + extension);
  }

  std::string name_;
};

}  // namespace t2v::testing
