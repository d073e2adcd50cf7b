#include "files/checkpoints/derive_config.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "families/wan/published_models.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using nlohmann::json;

/// The tensors, asked for their sizes.
class Shapes {
 public:
  explicit Shapes(const Component& tensors) : tensors_(tensors) {}

  bool has(const std::string& name) const { return tensors_.has(name); }
  int64_t operator()(const std::string& name, size_t dimension) const {
    const std::vector<int64_t>& shape = tensors_.get(name).stored.shape;
    if (dimension >= shape.size() || shape[dimension] < 1) {
      throw Error(ErrorCode::kInput, {.doing = "reading " + tensors_.origin + ", tensor '" + name + "'",
                                      .got = std::to_string(shape.size()) + " dimensions",
                                      .expected = "more, none of them 0"});
    }
    return shape[dimension];
  }
  /// How many of prefix0., prefix1., ... there are tensors in.
  int64_t count(const std::string& prefix) const {
    for (int64_t n = 0;; ++n) {
      const std::string block = prefix + std::to_string(n) + ".";
      const auto first = tensors_.tensors.lower_bound(block);
      if (first == tensors_.tensors.end() || !first->first.starts_with(block)) return n;
    }
  }

 private:
  const Component& tensors_;
};

/// The values that no shape tells, looked for in each of the hints in turn.
class Hints {
 public:
  Hints(const Component& tensors, const ConfigHints& hints)
      : configs_{hints.beside, metadata(tensors), hints.replaced} {}

  /// The file's own config.json with what the tensors tell in place of what it says of that.
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
  /// The first positive integer of `key`.
  std::optional<int64_t> integer(const std::string& key) const {
    for (const Config& config : configs_) {
      if (config.has(key)) return config.integer(key, 1);
    }
    return std::nullopt;
  }

 private:
  /// What the file's own metadata says: a JSON object under "config", or numbers under their names.
  Config metadata(const Component& tensors) {
    json values = json::object();
    for (const auto& file : tensors.files) {
      for (const auto& [key, text] : file->metadata()) {
        if (key == "config" && text.starts_with('{')) {
          of_file_.update(Config::parse(text, tensors.origin + ", metadata").json());
          continue;
        }
        const json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
        if (value.is_number()) values.emplace(key, value);
      }
    }
    values.update(of_file_);
    return Config(values, tensors.origin + ", metadata");
  }

  json of_file_ = json::object();  ///< before configs_, which it is part of
  std::vector<Config> configs_;
};

[[noreturn]] void cannot_tell(const Component& tensors, const std::string& what, const std::string& key) {
  throw Error(ErrorCode::kInput,
              {.doing = "reading " + tensors.origin,
               .got = "tensors of no published model, whose " + what + " no shape tells",
               .expected = "'" + key + "' in a config.json beside the file, or in its metadata",
               .advice = "copy the config.json that belongs to it there"});
}

/// Numbers in a head: from the hints, or as in every published transformer.
int64_t head_size(const Component& tensors, const Hints& hints, int64_t dim) {
  constexpr int64_t kPublished = 128;
  const auto fits = [dim](int64_t size) { return dim % size == 0; };
  const auto heads = hints.integer("num_heads");  // the original's spelling
  for (const auto& hint :
       {hints.integer("attention_head_dim"), heads ? std::optional(dim / *heads) : std::nullopt}) {
    if (hint && *hint > 0 && fits(*hint)) return *hint;
  }
  if (!fits(kPublished)) cannot_tell(tensors, "number of heads", "attention_head_dim");
  return kPublished;
}

void add_vace(const Shapes& shapes, const Hints& hints, json& config) {
  const int64_t count = shapes.count("vace_blocks.");
  config["_class_name"] = "WanVACETransformer3DModel";
  config["vace_in_channels"] = shapes("vace_patch_embedding.weight", 1);
  config["vace_layers"] = hints.find("vace_layers");
  if (config["vace_layers"].is_array() && static_cast<int64_t>(config["vace_layers"].size()) == count) return;
  // The published models spread the hints evenly.
  config["vace_layers"] = json::array();
  const int64_t step =
      std::max<int64_t>(config["num_layers"].get<int64_t>() / std::max<int64_t>(count, 1), 1);
  for (int64_t i = 0; i < count; ++i) config["vace_layers"].push_back(i * step);
}

json transformer_config(const Component& tensors, const Hints& hints) {
  const Shapes shapes(tensors);
  const std::string embedder = "condition_embedder.", image = embedder + "image_embedder.";
  const int64_t dim = shapes("patch_embedding.weight", 0);
  const std::vector<int64_t> patch = {shapes("patch_embedding.weight", 2),
                                      shapes("patch_embedding.weight", 3),
                                      shapes("patch_embedding.weight", 4)};
  const int64_t head_dim = head_size(tensors, hints, dim);
  const json eps = hints.find("eps");
  json config = {{"_class_name", "WanTransformer3DModel"},
                 {"patch_size", patch},
                 {"num_attention_heads", dim / head_dim},
                 {"attention_head_dim", head_dim},
                 {"in_channels", shapes("patch_embedding.weight", 1)},
                 {"out_channels", shapes("proj_out.weight", 0) / (patch[0] * patch[1] * patch[2])},
                 {"text_dim", shapes(embedder + "text_embedder.linear_1.weight", 1)},
                 {"freq_dim", shapes(embedder + "time_embedder.linear_1.weight", 1)},
                 {"ffn_dim", shapes("blocks.0.ffn.net.0.proj.weight", 0)},
                 {"num_layers", shapes.count("blocks.")},
                 {"cross_attn_norm", shapes.has("blocks.0.norm2.weight")},
                 {"qk_norm", "rms_norm_across_heads"},
                 {"eps", eps.is_number() ? eps : json(1e-6)},
                 {"rope_max_seq_len", hints.integer("rope_max_seq_len").value_or(1024)},
                 {"image_dim", nullptr},
                 {"added_kv_proj_dim", nullptr},
                 {"pos_embed_seq_len", nullptr}};
  if (shapes.has(image + "norm1.weight")) config["image_dim"] = shapes(image + "norm1.weight", 0);
  if (shapes.has("blocks.0.attn2.add_k_proj.weight"))
    config["added_kv_proj_dim"] = shapes("blocks.0.attn2.add_k_proj.weight", 1);
  if (shapes.has(image + "pos_embed")) config["pos_embed_seq_len"] = shapes(image + "pos_embed", 1);
  if (shapes.has("vace_patch_embedding.weight")) add_vace(shapes, hints, config);
  return config;
}

json text_encoder_config(const Component& tensors, const Hints& hints) {
  const Shapes shapes(tensors);
  const std::string layer = "encoder.block.0.layer.";
  const std::string bias = layer + "0.SelfAttention.relative_attention_bias.weight";
  const int64_t heads = shapes(bias, 1);
  const std::string embedding = shapes.has("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight";
  const json eps = hints.find("layer_norm_epsilon");
  return {{"architectures", {"UMT5EncoderModel"}},
          {"model_type", "umt5"},
          {"vocab_size", shapes(embedding, 0)},
          {"d_model", shapes(embedding, 1)},
          {"d_kv", shapes(layer + "0.SelfAttention.q.weight", 0) / heads},
          {"d_ff", shapes(layer + "1.DenseReluDense.wo.weight", 1)},
          {"num_layers", shapes.count("encoder.block.")},
          {"num_heads", heads},
          {"relative_attention_num_buckets", shapes(bias, 0)},
          {"relative_attention_max_distance", hints.integer("relative_attention_max_distance").value_or(128)},
          {"feed_forward_proj", "gated-gelu"},
          {"layer_norm_epsilon", eps.is_number() ? eps : json(1e-6)}};
}

json image_encoder_config(const Component& tensors, const Hints& hints) {
  const Shapes bare(tensors);
  const std::string prefix = bare.has("vision_model.embeddings.class_embedding") ? "vision_model." : "";
  const auto shapes = [&](const std::string& name, size_t dimension) {
    return bare(prefix + name, dimension);
  };
  const int64_t hidden = shapes("embeddings.class_embedding", 0);
  const int64_t patch = shapes("embeddings.patch_embedding.weight", 2);
  const auto side = static_cast<int64_t>(
      std::lround(std::sqrt(static_cast<double>(shapes("embeddings.position_embedding.weight", 0) - 1))));
  auto heads = hints.integer("num_attention_heads");
  if (!heads && hidden == 1280) heads = 16;  // ViT-H, the only one published with Wan
  if (!heads) cannot_tell(tensors, "number of heads", "num_attention_heads");
  const json activation = hints.find("hidden_act"), eps = hints.find("layer_norm_eps");
  return {{"architectures", {"CLIPVisionModel"}},
          {"model_type", "clip_vision_model"},
          {"hidden_size", hidden},
          {"intermediate_size", shapes("encoder.layers.0.mlp.fc1.weight", 0)},
          {"num_hidden_layers", bare.count(prefix + "encoder.layers.")},
          {"num_attention_heads", *heads},
          {"num_channels", shapes("embeddings.patch_embedding.weight", 1)},
          {"image_size", side * patch},
          {"patch_size", patch},
          {"hidden_act", activation.is_string() ? activation : json("gelu")},
          {"layer_norm_eps", eps.is_number() ? eps : json(1e-5)}};
}

/// The levels of a VAE's encoder: how wide each is, and which of them shorten the time.
struct VaeLevels {
  std::vector<int64_t> widths;
  std::vector<bool> temporal;  ///< one fewer
  int64_t num_res_blocks = 0;
};

/// Wan2.1 lists blocks and downsamplers one after the other, Wan2.2 level by level.
VaeLevels vae_levels_of(const Shapes& shapes, bool is_residual) {
  VaeLevels levels;
  const auto add_downsampler = [&](const std::string& name) {
    levels.temporal.push_back(shapes.has(name + "time_conv.weight"));
  };
  const std::string blocks = "encoder.down_blocks.";
  if (is_residual) {
    for (int64_t i = 0; shapes.has(blocks + std::to_string(i) + ".resnets.0.conv1.weight"); ++i) {
      const std::string level = blocks + std::to_string(i) + ".";
      levels.widths.push_back(shapes(level + "resnets.0.conv1.weight", 0));
      if (shapes.has(level + "downsampler.resample.1.weight")) add_downsampler(level + "downsampler.");
    }
    levels.num_res_blocks = shapes.count(blocks + "0.resnets.");
    return levels;
  }
  bool inside = false;
  for (int64_t n = 0;; ++n) {
    const std::string block = blocks + std::to_string(n) + ".";
    if (shapes.has(block + "conv1.weight")) {
      if (!inside) levels.widths.push_back(shapes(block + "conv1.weight", 0));
      if (levels.widths.size() == 1) ++levels.num_res_blocks;
      inside = true;
    } else if (shapes.has(block + "resample.1.weight")) {
      add_downsampler(block);
      inside = false;
    } else {
      return levels;
    }
  }
}

/// What the compression of the levels multiplies to.
void add_scale_factors(const Component& tensors, const VaeLevels& levels, int64_t patch, json& config) {
  constexpr size_t kMostLevels = 16;  // more would overflow
  if (levels.temporal.size() > kMostLevels) cannot_tell(tensors, "compression", "scale_factor_spatial");
  const auto temporal = std::count(levels.temporal.begin(), levels.temporal.end(), true);
  config["scale_factor_spatial"] = patch << levels.temporal.size();
  config["scale_factor_temporal"] = int64_t{1} << temporal;
}

/// latents_mean and latents_std: as a hint says, or those of the published VAE of as many channels.
void add_latent_statistics(const Component& tensors, const Hints& hints, int64_t z_dim, json& config) {
  const auto published = latent_statistics(z_dim);
  for (const auto& [key, values] : {std::pair("latents_mean", published ? &published->mean : nullptr),
                                    std::pair("latents_std", published ? &published->std : nullptr)}) {
    config[key] = hints.find(key);
    if (config[key].is_array() && config[key].size() == static_cast<size_t>(z_dim)) continue;
    if (values == nullptr) cannot_tell(tensors, "latent statistics", key);
    config[key] = *values;
  }
}

json vae_config(const Component& tensors, const Hints& hints) {
  const Shapes shapes(tensors);
  const bool is_residual = shapes.has("encoder.down_blocks.0.resnets.0.conv1.weight");
  const VaeLevels levels = vae_levels_of(shapes, is_residual);
  const int64_t base_dim = shapes("encoder.conv_in.weight", 0);
  const int64_t z_dim = shapes("decoder.conv_in.weight", 1);
  const int64_t channels = shapes("encoder.conv_in.weight", 1);
  const int64_t patch = std::max<int64_t>(std::lround(std::sqrt(static_cast<double>(channels) / 3)), 1);
  std::vector<int64_t> dim_mult;
  for (const int64_t width : levels.widths) dim_mult.push_back(width / base_dim);
  // Null where it is the encoder's and nothing says so.
  const int64_t decoder_base_dim = shapes("decoder.conv_out.weight", 1);
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
                 {"out_channels", shapes("decoder.conv_out.weight", 0)},
                 {"patch_size", patch > 1 ? json(patch) : json(nullptr)}};
  add_scale_factors(tensors, levels, patch, config);
  add_latent_statistics(tensors, hints, z_dim, config);
  return config;
}

}  // namespace

Config derive_config(std::string_view component, const Component& tensors, const ConfigHints& hints) {
  const Hints all(tensors, hints);
  const json config = component == "vae"             ? vae_config(tensors, all)
                      : component == "text_encoder"  ? text_encoder_config(tensors, all)
                      : component == "image_encoder" ? image_encoder_config(tensors, all)
                                                     : transformer_config(tensors, all);
  return Config(all.completed(config), tensors.origin + ", as its tensors tell");
}

}  // namespace t2v
