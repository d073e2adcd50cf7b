#include <memory>

#include <nlohmann/json.hpp>

#include "engine/bench/bench_networks.h"
#include "engine/bench/synthetic_model.h"
#include "engine/pipelines/wan_networks.h"
#include "families/wan/wan_family.h"
#include "networks/autoencoders/autoencoder_kl_wan_cost.h"
#include "networks/text_encoders/umt5_encoder_cost.h"
#include "networks/transformers/transformer_wan_cost.h"

namespace t2v {
namespace {

using Run = std::function<void()>;

Config config_of(const std::string& model, int64_t num_layers = 0) {
  nlohmann::json config = bench_config(model);
  if (num_layers > 0) config["num_layers"] = num_layers;
  return Config(config, model);
}

WanTransformer3DConfig transformer_config(const BenchSpec& spec, int64_t num_layers = 0) {
  return WanTransformer3DConfig::from_config(config_of(spec.model, num_layers));
}
AutoencoderKLWanConfig vae_config(const std::string& model) {
  return AutoencoderKLWanConfig::from_config(config_of(model));
}
UMT5Config text_encoder_config(const BenchSpec& spec, int64_t num_layers = 0) {
  return UMT5Config::from_config(config_of(spec.model, num_layers));
}

Weights random_weights(const std::string& component, const std::string& model, int64_t num_layers,
                       LoadOptions options) {
  return Weights::open(synthetic_model(component, config_of(model, num_layers).json()), std::move(options));
}

Run load_transformer(const BenchSpec& spec, int64_t num_layers, Placement placement,
                     const Run& stop_if_asked) {
  const Weights weights =
      random_weights("transformer", spec.model, num_layers,
                     {.placement = placement, .keep_in_fp32 = transformer_keeps_in_fp32()});
  const WanTransformer3DConfig config = transformer_config(spec, num_layers);
  const auto model = std::make_shared<const WanTransformer3DModel>(
      weights, config, BlockResidency{.before_each = stop_if_asked});
  const TextContext context =
      model->prepare(random_tensor({1, kCountedPromptRows, config.text_dim}, placement));
  const auto [channels, frames, height, width, tokens] = transformer_sizes(spec).latents;
  const Tensor latents =
      random_tensor({1, config.in_channels, frames, height, width}, {at::kFloat, placement.device});
  const Tensor timestep = at::full({1}, 500.0, at::kFloat);
  return [=] { model->forward(latents, timestep, context); };
}

Run load_vae(const BenchSpec& spec, at::Device device, const Run& stop_if_asked) {
  const AutoencoderKLWanConfig config = vae_config(spec.model);
  const Weights weights = random_weights("vae", spec.model, 0, {.placement = {at::kFloat, device}});
  const auto vae = std::make_shared<const AutoencoderKLWan>(weights, config);
  const int64_t factor = config.scale_factor_spatial;
  const Tensor latents =
      random_tensor({1, config.z_dim, (spec.clip.num_frames - 1) / config.scale_factor_temporal + 1,
                     spec.clip.height / factor, spec.clip.width / factor},
                    {at::kFloat, device});
  return [=] { vae->decode(latents, [&](const Tensor&) { stop_if_asked(); }); };
}

Run load_text_encoder(const BenchSpec& spec, int64_t num_layers, Placement placement) {
  const UMT5Config config = text_encoder_config(spec, num_layers);
  const Weights weights = random_weights("text_encoder", spec.model, num_layers, {.placement = placement});
  const auto encoder = std::make_shared<const UMT5Encoder>(weights, config);
  const Tensor ids = at::randint(1, config.vocab_size, {spec.clip.num_frames}, at::kLong);
  return [=] { encoder->forward({ids}); };
}

}  // namespace

TransformerSizes transformer_sizes(const BenchSpec& spec) {
  const WanTransformer3DConfig config = transformer_config(spec);
  return {.dim = config.dim(),
          .ffn_dim = config.ffn_dim,
          .num_heads = config.num_attention_heads,
          .num_layers = config.num_layers,
          .latents = wan_geometry(config, vae_config(vae_of(spec.model))).latents(spec.clip)};
}

TensorShapes bench_tensors(std::string_view component, const Config& config) {
  TensorList list;
  const Weights weights = Weights::record(list);
  if (component == "vae") {
    AutoencoderKLWan(weights, AutoencoderKLWanConfig::from_config(config));
  } else {
    construct_wan_network(std::string(component), config, weights);
  }
  TensorShapes shapes;
  for (const auto& [name, entry] : list.tensors) shapes.emplace(name, entry.shape);
  return shapes;
}

BenchNetwork bench_network(const BenchSpec& spec) {
  if (spec.kind == BenchKind::kVae) {
    const NetworkSize size{vae_config(spec.model).decoder_base_dim, spec.clip.height * spec.clip.width};
    return {.component = "vae", .phase = "decoding", .size = size};
  }
  if (spec.kind == BenchKind::kTextEncoder) {
    const UMT5Config config = text_encoder_config(spec);
    return {.component = "text_encoder",
            .num_layers = config.num_layers,
            .phase = "text",
            .size = {config.d_model, spec.clip.num_frames}};
  }
  const TransformerSizes sizes = transformer_sizes(spec);
  return {.component = "transformer",
          .num_layers = sizes.num_layers,
          .phase = "sampling",
          .size = {sizes.dim, sizes.latents.tokens}};
}

Cost network_cost(const BenchSpec& spec, int64_t num_layers, Placement placement) {
  const Allocation allocation = placement.device.is_cpu() ? host_allocation() : gpu_allocation();
  if (spec.kind == BenchKind::kVae) return decode_cost(vae_config(spec.model), spec.clip, allocation);
  if (spec.kind == BenchKind::kTextEncoder) {
    return encode_cost(text_encoder_config(spec, num_layers), spec.clip.num_frames, placement.dtype,
                       allocation);
  }
  const DenoisingCost cost = denoising_cost(transformer_config(spec, num_layers),
                                            transformer_sizes(spec).latents, placement.dtype, allocation);
  Cost forward = cost.forward;
  forward.peak_bytes += cost.prompt.kept_bytes;
  return forward;
}

std::function<void()> load_network(const BenchSpec& spec, int64_t num_layers, Placement placement,
                                   const std::function<void()>& stop_if_asked) {
  if (spec.kind == BenchKind::kVae) return load_vae(spec, placement.device, stop_if_asked);
  if (spec.kind == BenchKind::kTextEncoder) return load_text_encoder(spec, num_layers, placement);
  return load_transformer(spec, num_layers, placement, stop_if_asked);
}

std::vector<std::string> transformer_keeps_in_fp32() { return WanTransformer3DModel::keep_in_fp32(); }

Tensor random_tensor(at::IntArrayRef shape, Placement placement) {
  return at::empty(shape, at::device(placement.device).dtype(placement.dtype)).normal_();
}

}  // namespace t2v
