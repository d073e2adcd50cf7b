#include "families/wan/wan_family.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <nlohmann/json.hpp>

#include "families/wan/experts.h"
#include "families/wan/published_models.h"
#include "families/wan/wan_parts.h"

namespace t2v {
namespace {

using nlohmann::json;

constexpr const char* kTextToVideo = "WanPipeline";
constexpr const char* kImageToVideo = "WanImageToVideoPipeline";
constexpr const char* kVace = "WanVACEPipeline";
/// FastVideo's distilled models: the network of WanPipeline, sampled in another way.
constexpr const char* kDistilled = "WanDMDPipeline";
constexpr const char* kBoundary = "boundary_ratio";

std::string pipeline_of(const ModelInfo& model) { return model.index.text("_class_name", ""); }

bool expands_timesteps(const ModelInfo& model) { return model.index.boolean("expand_timesteps", false); }

/// `boundary`: share of the timesteps from which on the first expert is used; null for one transformer.
Config make_index(const std::string& pipeline, bool expand_timesteps, const json& boundary) {
  return Config({{"_class_name", pipeline}, {"expand_timesteps", expand_timesteps}, {kBoundary, boundary}},
                "model_index.json");
}

/// The boundary that the index, else the file of the first expert has, else the one of the published model.
double boundary_of(const ModelInfo& model) {
  const PartInfo& transformer = model.get("transformer");
  const double published = published_boundary_ratio(transformer.config);
  const auto said = transformer.metadata.find(kBoundary);
  const std::string text = said == transformer.metadata.end() ? "null" : said->second;
  const Config metadata = Config::parse("{\"" + std::string(kBoundary) + "\":" + text + "}",
                                        transformer.file.string() + ", metadata");
  return model.index.number(kBoundary, metadata.number(kBoundary, published));
}

std::string pipeline_of_transformer(const PartInfo& transformer) {
  const int64_t in = transformer.config.integer("in_channels", 16);
  if (transformer.has("vace_patch_embedding.weight")) return kVace;
  const bool takes_image =
      in > transformer.config.integer("out_channels", in) || transformer.config.has("image_dim");
  return takes_image ? kImageToVideo : kTextToVideo;
}

class WanFamily : public Family {
 public:
  std::string name() const override { return "Wan"; }
  const std::vector<PartKind>& parts() const override { return wan_parts(); }
  const IndexFormat& index_format() const override {
    static const IndexFormat format = {.pipelines = {kTextToVideo, kImageToVideo, kVace, kDistilled},
                                       .keys = {{kBoundary, true}, {"expand_timesteps"}},
                                       .preprocessors = {wan_image_processor()}};
    return format;
  }

  void restore_shape(const std::string& tensor, std::vector<int64_t>& shape) const override;
  std::string part_called(const std::filesystem::path& path) const override;
  std::filesystem::path file_of(const std::string& part, const ModelInfo& model) const override;
  Config derive_config(const std::string& part, const PartInfo& info,
                       const ConfigHints& hints) const override {
    return derive_wan_config(part, info, hints);
  }
  std::map<std::string, std::string> comfy_names(const std::string& part,
                                                 const PartInfo& info) const override {
    return wan_comfy_names(part, info);
  }

  Config read_index(const Config& model_index) const override;
  Config derive_index(const ModelInfo& model) const override;
  Config published_scheduler(const PartInfo& transformer) const override {
    return t2v::published_scheduler(transformer.config);
  }
  bool fits(const std::string& part, const PartInfo& candidate, const PartInfo* transformer) const override {
    return fits_wan(part, candidate, transformer);
  }
  void check_parts(const ModelInfo& model) const override { check_wan_parts(model); }
  std::optional<MissingPart> missing(const PartKind& part, const ModelInfo& model) const override;
  ModelName model_name(const ModelInfo& model) const override { return wan_model_name(model); }
  AcceptedConditions conditions(const ModelInfo& model) const override;
  std::string models_for(Condition condition) const override;
  LatentGeometry geometry(const ModelInfo& model) const override;

  std::string lora_made_for(const std::map<std::string, int64_t>& widths) const override;
};

void WanFamily::restore_shape(const std::string& tensor, std::vector<int64_t>& shape) const {
  const auto ends = [&](const char* ending) { return tensor.ends_with(ending); };
  if (ends("patch_embedding.weight") && shape.size() == 2 && shape[1] % 4 == 0) {
    shape = {shape[0], shape[1] / 4, 1, 2, 2};
  }
  const size_t rank = ends("scale_shift_table") || ends("image_embedder.pos_embed") ? 3
                      : tensor == "embeddings.class_embedding"                      ? 1
                      : tensor == "embeddings.position_embedding.weight"            ? 2
                                                                                    : shape.size();
  while (shape.size() < rank) shape.insert(shape.begin(), 1);
  while (shape.size() > rank && shape.front() == 1) shape.erase(shape.begin());
}

std::string WanFamily::part_called(const std::filesystem::path& path) const {
  const Expert expert = expert_called(path);
  if (expert == Expert::kUnknown) return "";
  return expert == Expert::kHighNoise ? "transformer" : "transformer_2";
}

std::filesystem::path WanFamily::file_of(const std::string& part, const ModelInfo& model) const {
  // The two experts have the same tensors: their folders tell them apart, as in the original repositories.
  const bool is_expert = part == "transformer" || part == "transformer_2";
  if (!is_expert || !model.has("transformer_2")) return Family::file_of(part, model);
  return std::filesystem::path(part == "transformer" ? "high_noise_model" : "low_noise_model") /
         "transformer.safetensors";
}

Config WanFamily::read_index(const Config& model_index) const {
  const std::string pipeline = model_index.text("_class_name", "");
  const bool has_boundary = model_index.has(kBoundary);
  return make_index(pipeline == kDistilled ? kTextToVideo : pipeline,
                    model_index.boolean("expand_timesteps", false),
                    has_boundary ? json(model_index.number(kBoundary, 0)) : json());
}

Config WanFamily::derive_index(const ModelInfo& model) const {
  if (!model.has("transformer")) return make_index(kTextToVideo, false, json());  // to decode with
  const PartInfo& transformer = model.get("transformer");
  // TI2V-5B alone has the VAE of residual levels.
  constexpr int64_t kChannelsOfTi2v = 48;
  const bool expand_timesteps = model.has("vae")
                                    ? model.config("vae").boolean("is_residual", false)
                                    : transformer.config.integer("in_channels", 16) == kChannelsOfTi2v;
  return make_index(pipeline_of_transformer(transformer), expand_timesteps,
                    model.has("transformer_2") ? json(boundary_of(model)) : json());
}

std::optional<MissingPart> WanFamily::missing(const PartKind& part, const ModelInfo& model) const {
  if (part.name == "image_encoder" && model.config("transformer").has("image_dim"))
    return MissingPart{part.name};
  if (part.name != "transformer_2") return Family::missing(part, model);
  const std::string expert = lone_expert(model);
  if (expert.empty())
    return model.index.has(kBoundary) ? std::optional(MissingPart{part.name, false}) : std::nullopt;
  if (part_called(model.get("transformer").file) == "transformer") return MissingPart{part.name};
  return MissingPart{part.name, false,
                     "the transformer is " + expert +
                         ": name the one for high noise with `transformer`, the one for low noise with "
                         "`transformer_2`"};
}

AcceptedConditions WanFamily::conditions(const ModelInfo& model) const {
  const Config transformer = model.config("transformer");
  if (expands_timesteps(model))
    return {"a model for text or a first image", {{Condition::kImage, Use::kOptional}}};
  if (pipeline_of(model) == kVace) {
    return {"a VACE model",
            {{Condition::kControl, Use::kOptional}, {Condition::kReferenceImages, Use::kOptional}}};
  }
  if (pipeline_of(model) != kImageToVideo) return {"a text-to-video model", {}};
  if (transformer.has("pos_embed_seq_len")) {
    return {"a first-and-last-frame model",
            {{Condition::kImage, Use::kRequired}, {Condition::kEndImage, Use::kRequired}}};
  }
  const Use end_image = transformer.has("image_dim") ? Use::kNone : Use::kOptional;
  return {"an image-to-video model",
          {{Condition::kImage, Use::kRequired}, {Condition::kEndImage, end_image}}};
}

std::string WanFamily::models_for(Condition condition) const {
  switch (condition) {
    case Condition::kImage:
      return "an image-to-video model";
    case Condition::kEndImage:
      return "a first-and-last-frame model (FLF2V), or Wan2.2 I2V";
    case Condition::kControl:
    case Condition::kReferenceImages:
      return "a VACE model";
  }
  return "";
}

LatentGeometry WanFamily::geometry(const ModelInfo& model) const {
  const auto vae = AutoencoderKLWanConfig::from_config(model.config("vae"));
  if (!model.has("transformer")) return {vae.z_dim, vae.scale_factor_temporal, vae.scale_factor_spatial};
  const Config& config = model.get("transformer").config;
  const auto transformer = WanTransformer3DConfig::from_config(config);
  if (transformer.patch_size[1] != transformer.patch_size[2])
    config.fail("patch_size", "[frames, side, side]");
  return wan_geometry(transformer, vae);
}

std::string WanFamily::lora_made_for(const std::map<std::string, int64_t>& widths) const {
  const std::string prefix = "blocks.";
  int64_t blocks = 0, width = 0;
  for (const auto& [module, inputs] : widths) {
    if (!module.starts_with(prefix)) continue;
    blocks = std::max<int64_t>(blocks, 1 + std::atoi(module.c_str() + prefix.size()));
    if (module.ends_with(".attn1.to_q") && inputs > 0) width = inputs;
  }
  std::string text = Family::lora_made_for(widths);
  if (width > 0) text += " of width " + std::to_string(width);
  if (blocks > 0) text += " with " + std::to_string(blocks) + " blocks or more";
  for (const auto& [known, size] : {std::pair{1536, "1.3B"}, {3072, "5B"}, {5120, "14B"}}) {
    if (width == known) text += std::string(" (") + size + ")";
  }
  return text;
}

}  // namespace

const Family& wan_family() {
  static const WanFamily family;
  return family;
}

LatentGeometry wan_geometry(const WanTransformer3DConfig& transformer, const AutoencoderKLWanConfig& vae) {
  return {transformer.out_channels, vae.scale_factor_temporal, vae.scale_factor_spatial,
          transformer.patch_size};
}

}  // namespace t2v
