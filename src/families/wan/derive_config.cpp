#include <algorithm>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "families/wan/published_models.h"
#include "families/wan/wan_parts.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using nlohmann::json;

/// Values that no shape tells, looked for in each of the hints in turn.
class Hints {
 public:
  Hints(const PartInfo& info, const ConfigHints& hints)
      : of_file_(own_config(info)), configs_{hints.beside, metadata(info), hints.replaced} {}

  /// The config.json inside the file, with the derived values in place of its own.
  json completed(const json& derived) const {
    json config = of_file_;
    config.update(derived);
    return config;
  }

  /// The first value of `key`; null if no hint has it.
  json find(const std::string& key) const {
    for (const Config& config : configs_) {
      if (config.has(key)) return config.json().at(key);
    }
    return nullptr;
  }
  /// The first number of `key`, else `fallback`.
  json number(const std::string& key, double fallback) const {
    const json value = find(key);
    return value.is_number() ? value : json(fallback);
  }
  /// The first positive integer of `key`.
  std::optional<int64_t> integer(const std::string& key) const {
    for (const Config& config : configs_) {
      if (config.has(key)) return config.integer(key, 1);
    }
    return std::nullopt;
  }

 private:
  /// The JSON object that the file's metadata has under "config".
  static json own_config(const PartInfo& info) {
    const auto found = info.metadata.find("config");
    if (found == info.metadata.end() || !found->second.starts_with('{')) return json::object();
    return Config::parse(found->second, info.origin + ", metadata").json();
  }
  /// That object, and numbers that the metadata has under their own names.
  Config metadata(const PartInfo& info) const {
    json values = json::object();
    for (const auto& [key, text] : info.metadata) {
      const json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
      if (value.is_number()) values.emplace(key, value);
    }
    values.update(of_file_);
    return Config(values, info.origin + ", metadata");
  }

  json of_file_;  ///< before configs_, which it is a part of
  std::vector<Config> configs_;
};

[[noreturn]] void cannot_tell(const PartInfo& info, const std::string& what, const std::string& key) {
  throw Error(ErrorCode::kInput,
              {.doing = "reading " + info.origin,
               .got = "tensors of no published model, whose " + what + " no shape tells",
               .expected = "'" + key + "' in a config.json beside the file, or in its metadata",
               .advice = "copy the config.json that belongs to it there"});
}

/// Width of an attention head: from the hints, or as every published transformer has it.
int64_t head_size(const PartInfo& info, const Hints& hints, int64_t dim) {
  constexpr int64_t kPublished = 128;
  const auto fits = [dim](int64_t size) { return dim % size == 0; };
  const auto heads = hints.integer("num_heads");  // the original's spelling
  for (const auto& hint :
       {hints.integer("attention_head_dim"), heads ? std::optional(dim / *heads) : std::nullopt}) {
    if (hint && *hint > 0 && fits(*hint)) return *hint;
  }
  if (!fits(kPublished)) cannot_tell(info, "number of heads", "attention_head_dim");
  return kPublished;
}

void add_vace(const PartInfo& info, const Hints& hints, json& config) {
  const int64_t count = info.count_blocks("vace_blocks.");
  config["_class_name"] = "WanVACETransformer3DModel";
  config["vace_in_channels"] = info.size("vace_patch_embedding.weight", 1);
  config["vace_layers"] = hints.find("vace_layers");
  if (config["vace_layers"].is_array() && static_cast<int64_t>(config["vace_layers"].size()) == count) return;
  // The published models spread the hints evenly.
  config["vace_layers"] = json::array();
  const int64_t step =
      std::max<int64_t>(config["num_layers"].get<int64_t>() / std::max<int64_t>(count, 1), 1);
  for (int64_t i = 0; i < count; ++i) config["vace_layers"].push_back(i * step);
}

json transformer_config(const PartInfo& info, const Hints& hints) {
  const std::string embedder = "condition_embedder.", image = embedder + "image_embedder.";
  const int64_t dim = info.size("patch_embedding.weight", 0);
  const std::vector<int64_t> patch = {info.size("patch_embedding.weight", 2),
                                      info.size("patch_embedding.weight", 3),
                                      info.size("patch_embedding.weight", 4)};
  const int64_t head_dim = head_size(info, hints, dim);
  json config = {{"_class_name", "WanTransformer3DModel"},
                 {"patch_size", patch},
                 {"num_attention_heads", dim / head_dim},
                 {"attention_head_dim", head_dim},
                 {"in_channels", info.size("patch_embedding.weight", 1)},
                 {"out_channels", info.size("proj_out.weight", 0) / (patch[0] * patch[1] * patch[2])},
                 {"text_dim", info.size(embedder + "text_embedder.linear_1.weight", 1)},
                 {"freq_dim", info.size(embedder + "time_embedder.linear_1.weight", 1)},
                 {"ffn_dim", info.size("blocks.0.ffn.net.0.proj.weight", 0)},
                 {"num_layers", info.count_blocks("blocks.")},
                 {"cross_attn_norm", info.has("blocks.0.norm2.weight")},
                 {"qk_norm", "rms_norm_across_heads"},
                 {"eps", hints.number("eps", 1e-6)},
                 {"rope_max_seq_len", hints.integer("rope_max_seq_len").value_or(1024)},
                 {"image_dim", nullptr},
                 {"added_kv_proj_dim", nullptr},
                 {"pos_embed_seq_len", nullptr}};
  if (info.has(image + "norm1.weight")) config["image_dim"] = info.size(image + "norm1.weight", 0);
  if (info.has("blocks.0.attn2.add_k_proj.weight"))
    config["added_kv_proj_dim"] = info.size("blocks.0.attn2.add_k_proj.weight", 1);
  if (info.has(image + "pos_embed")) config["pos_embed_seq_len"] = info.size(image + "pos_embed", 1);
  if (info.has("vace_patch_embedding.weight")) add_vace(info, hints, config);
  return config;
}

json text_encoder_config(const PartInfo& info, const Hints& hints) {
  const std::string layer = "encoder.block.0.layer.";
  const std::string bias = layer + "0.SelfAttention.relative_attention_bias.weight";
  const int64_t heads = info.size(bias, 1);
  const std::string embedding = info.has("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight";
  return {{"architectures", {"UMT5EncoderModel"}},
          {"model_type", "umt5"},
          {"vocab_size", info.size(embedding, 0)},
          {"d_model", info.size(embedding, 1)},
          {"d_kv", info.size(layer + "0.SelfAttention.q.weight", 0) / heads},
          {"d_ff", info.size(layer + "1.DenseReluDense.wo.weight", 1)},
          {"num_layers", info.count_blocks("encoder.block.")},
          {"num_heads", heads},
          {"relative_attention_num_buckets", info.size(bias, 0)},
          {"relative_attention_max_distance", hints.integer("relative_attention_max_distance").value_or(128)},
          {"feed_forward_proj", "gated-gelu"},
          {"layer_norm_epsilon", hints.number("layer_norm_epsilon", 1e-6)}};
}

json image_encoder_config(const PartInfo& info, const Hints& hints) {
  const std::string prefix = info.has("vision_model.embeddings.class_embedding") ? "vision_model." : "";
  const auto size = [&](const std::string& name, size_t dimension) {
    return info.size(prefix + name, dimension);
  };
  const int64_t hidden = size("embeddings.class_embedding", 0);
  const int64_t patch = size("embeddings.patch_embedding.weight", 2);
  const auto side = static_cast<int64_t>(
      std::lround(std::sqrt(static_cast<double>(size("embeddings.position_embedding.weight", 0) - 1))));
  auto heads = hints.integer("num_attention_heads");
  if (!heads && hidden == 1280) heads = 16;  // ViT-H, the only one published with Wan
  if (!heads) cannot_tell(info, "number of heads", "num_attention_heads");
  const json activation = hints.find("hidden_act");
  return {{"architectures", {"CLIPVisionModel"}},
          {"model_type", "clip_vision_model"},
          {"hidden_size", hidden},
          {"intermediate_size", size("encoder.layers.0.mlp.fc1.weight", 0)},
          {"num_hidden_layers", info.count_blocks(prefix + "encoder.layers.")},
          {"num_attention_heads", *heads},
          {"num_channels", size("embeddings.patch_embedding.weight", 1)},
          {"image_size", side * patch},
          {"patch_size", patch},
          {"hidden_act", activation.is_string() ? activation : json("gelu")},
          {"layer_norm_eps", hints.number("layer_norm_eps", 1e-5)}};
}

/// Levels of a VAE's encoder.
struct VaeLevels {
  std::vector<int64_t> widths;
  std::vector<bool> temporal;  ///< whether the step to the next level halves the frames
  int64_t num_res_blocks = 0;
};

/// Wan2.1 lists blocks and downsamplers one after the other, Wan2.2 level by level.
VaeLevels vae_levels_of(const PartInfo& info, bool is_residual) {
  VaeLevels levels;
  const auto add_downsampler = [&](const std::string& name) {
    levels.temporal.push_back(info.has(name + "time_conv.weight"));
  };
  const std::string blocks = "encoder.down_blocks.";
  if (is_residual) {
    for (int64_t i = 0; info.has(blocks + std::to_string(i) + ".resnets.0.conv1.weight"); ++i) {
      const std::string level = blocks + std::to_string(i) + ".";
      levels.widths.push_back(info.size(level + "resnets.0.conv1.weight", 0));
      if (info.has(level + "downsampler.resample.1.weight")) add_downsampler(level + "downsampler.");
    }
    levels.num_res_blocks = info.count_blocks(blocks + "0.resnets.");
    return levels;
  }
  bool inside = false;
  for (int64_t n = 0;; ++n) {
    const std::string block = blocks + std::to_string(n) + ".";
    if (info.has(block + "conv1.weight")) {
      if (!inside) levels.widths.push_back(info.size(block + "conv1.weight", 0));
      if (levels.widths.size() == 1) ++levels.num_res_blocks;
      inside = true;
    } else if (info.has(block + "resample.1.weight")) {
      add_downsampler(block);
      inside = false;
    } else {
      return levels;
    }
  }
}

/// Adds the product of the factors of all levels.
void add_scale_factors(const PartInfo& info, const VaeLevels& levels, int64_t patch, json& config) {
  constexpr size_t kMostLevels = 16;  // more would overflow
  if (levels.temporal.size() > kMostLevels) cannot_tell(info, "compression", "scale_factor_spatial");
  const auto temporal = std::count(levels.temporal.begin(), levels.temporal.end(), true);
  config["scale_factor_spatial"] = patch << levels.temporal.size();
  config["scale_factor_temporal"] = int64_t{1} << temporal;
}

/// Adds latents_mean and latents_std from a hint, or of the published VAE with as many channels.
void add_latent_statistics(const PartInfo& info, const Hints& hints, int64_t z_dim, json& config) {
  const auto published = latent_statistics(z_dim);
  for (const auto& [key, values] : {std::pair("latents_mean", published ? &published->mean : nullptr),
                                    std::pair("latents_std", published ? &published->std : nullptr)}) {
    config[key] = hints.find(key);
    if (config[key].is_array() && config[key].size() == static_cast<size_t>(z_dim)) continue;
    if (values == nullptr) cannot_tell(info, "latent statistics", key);
    config[key] = *values;
  }
}

json vae_config(const PartInfo& info, const Hints& hints) {
  const bool is_residual = info.has("encoder.down_blocks.0.resnets.0.conv1.weight");
  const VaeLevels levels = vae_levels_of(info, is_residual);
  const int64_t base_dim = info.size("encoder.conv_in.weight", 0);
  const int64_t z_dim = info.size("decoder.conv_in.weight", 1);
  const int64_t channels = info.size("encoder.conv_in.weight", 1);
  const int64_t patch = std::max<int64_t>(std::lround(std::sqrt(static_cast<double>(channels) / 3)), 1);
  std::vector<int64_t> dim_mult;
  for (const int64_t width : levels.widths) dim_mult.push_back(width / base_dim);
  // Null if it equals the encoder's and no hint has it.
  const int64_t decoder_base_dim = info.size("decoder.conv_out.weight", 1);
  const bool said = decoder_base_dim != base_dim || !hints.find("decoder_base_dim").is_null();
  json config = {{"_class_name", "AutoencoderKLWan"},
                 {"base_dim", base_dim},
                 {"decoder_base_dim", said ? json(decoder_base_dim) : json(nullptr)},
                 {"z_dim", z_dim},
                 {"dim_mult", dim_mult},
                 {"num_res_blocks", levels.num_res_blocks},
                 {"attn_scales", json::array()},
                 {"temperal_downsample", levels.temporal},
                 {"dropout", 0.0},
                 {"is_residual", is_residual},
                 {"in_channels", channels},
                 {"out_channels", info.size("decoder.conv_out.weight", 0)},
                 {"patch_size", patch > 1 ? json(patch) : json(nullptr)}};
  add_scale_factors(info, levels, patch, config);
  add_latent_statistics(info, hints, z_dim, config);
  return config;
}

}  // namespace

Config derive_wan_config(const std::string& part, const PartInfo& info, const ConfigHints& hints) {
  const Hints all(info, hints);
  const json config = part == "vae"             ? vae_config(info, all)
                      : part == "text_encoder"  ? text_encoder_config(info, all)
                      : part == "image_encoder" ? image_encoder_config(info, all)
                                                : transformer_config(info, all);
  return Config(all.completed(config), info.origin + ", as its tensors tell");
}

}  // namespace t2v
