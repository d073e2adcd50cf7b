#include "checkpoints/checkpoint.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// No VAE compresses and no transformer patches by more in one direction.
constexpr int64_t kLargestFactor = 64;

/// A component as model_index.json may name it.
struct ComponentKind {
  const char* name;
  const char* base;  ///< what its library calls the file of its weights
  std::vector<std::string> classes;
  bool required;
};

const std::vector<ComponentKind>& component_kinds() {
  static const std::vector<ComponentKind> kinds = {
      {"transformer",
       "diffusion_pytorch_model",
       {"WanTransformer3DModel", "WanVACETransformer3DModel"},
       true},
      {"transformer_2",
       "diffusion_pytorch_model",
       {"WanTransformer3DModel", "WanVACETransformer3DModel"},
       false},
      {"vae", "diffusion_pytorch_model", {"AutoencoderKLWan"}, true},
      {"text_encoder", "model", {"UMT5EncoderModel"}, true},
      {"image_encoder", "model", {"CLIPVisionModel", "CLIPVisionModelWithProjection"}, false},
  };
  return kinds;
}

[[noreturn]] void unsupported(const std::string& index, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + index, .got = got, .expected = expected});
}

/// [library, class] of a component in model_index.json; "" for one that is absent or [null, null].
std::string component_class(const Config& index, const std::string& name) {
  if (!index.has(name)) return "";
  const nlohmann::json& entry = index.json().at(name);
  if (!entry.is_array() || entry.size() != 2) index.fail(name, "[library, class]");
  return entry[1].is_string() ? entry[1].get<std::string>() : "";
}

PipelineClass pipeline_of(const Config& index) {
  const std::string name = index.text("_class_name", "");
  for (const auto pipeline :
       {PipelineClass::kWan, PipelineClass::kWanImageToVideo, PipelineClass::kWanVACE}) {
    if (name == pipeline_class_name(pipeline)) return pipeline;
  }
  unsupported(index.origin(), "the pipeline '" + name + "'",
              "WanPipeline, WanImageToVideoPipeline or WanVACEPipeline");
}

Component open_component(const fs::path& folder, const ComponentKind& kind) {
  const Config config = Config::read(folder / "config.json");
  Component component = open_tensors(folder, kind.base);
  component.config = config;
  return component;
}

Checkpoint open_diffusers_folder(const fs::path& folder) {
  const Config index = Config::read(folder / "model_index.json");
  Checkpoint checkpoint{.origin = folder.string(),
                        .pipeline = pipeline_of(index),
                        .components = {},
                        .tokenizer = TokenizerSource{.path = folder / "tokenizer", .spiece_model = {}},
                        .scheduler = Config::read(folder / "scheduler" / "scheduler_config.json"),
                        .boundary_ratio = {},
                        .expand_timesteps = index.boolean("expand_timesteps", false)};
  if (index.has("boundary_ratio")) checkpoint.boundary_ratio = index.number("boundary_ratio", 0);
  for (const ComponentKind& kind : component_kinds()) {
    const std::string class_name = component_class(index, kind.name);
    if (class_name.empty() && !kind.required) continue;
    if (std::find(kind.classes.begin(), kind.classes.end(), class_name) == kind.classes.end()) {
      unsupported(index.origin(), std::string(kind.name) + " '" + class_name + "'", kind.classes.front());
    }
    checkpoint.components.emplace(kind.name, open_component(folder / kind.name, kind));
  }
  return checkpoint;
}

}  // namespace

std::string pipeline_class_name(PipelineClass pipeline) {
  switch (pipeline) {
    case PipelineClass::kWan:
      return "WanPipeline";
    case PipelineClass::kWanImageToVideo:
      return "WanImageToVideoPipeline";
    case PipelineClass::kWanVACE:
      return "WanVACEPipeline";
  }
  return "";
}

Checkpoint Checkpoint::open(const CheckpointSources& sources) {
  const fs::path& folder = sources.model;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    throw Error(ErrorCode::kInput, {.doing = "--model " + folder.string(),
                                    .got = fs::exists(folder, ignored) ? "a file" : "no such folder",
                                    .expected = "a checkpoint folder in the diffusers layout",
                                    .advice = "check the path"});
  }
  if (!fs::exists(folder / "model_index.json", ignored)) {
    throw Error(ErrorCode::kInput, {.doing = "--model " + folder.string(),
                                    .got = "a folder without model_index.json",
                                    .expected = "a checkpoint folder in the diffusers layout",
                                    .advice = "download the '-Diffusers' variant of the checkpoint"});
  }
  Checkpoint checkpoint = open_diffusers_folder(folder);
  const Config& transformer = checkpoint.get("transformer").config;
  const int64_t latent_channels = checkpoint.get("vae").config.integer("z_dim", 16);
  if (transformer.integer("out_channels", transformer.integer("in_channels", 16)) != latent_channels) {
    transformer.fail("in_channels", std::to_string(latent_channels) + ", the z_dim of the VAE beside it");
  }
  return checkpoint;
}

const Component& Checkpoint::get(std::string_view component) const {
  const auto found = components.find(component);
  if (found == components.end()) {
    throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                    .got = "no " + std::string(component),
                                    .expected = "a checkpoint with one",
                                    .advice = "download the whole checkpoint"});
  }
  return found->second;
}

const TokenizerSource& Checkpoint::get_tokenizer() const {
  if (!tokenizer) {
    throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                    .got = "no tokenizer",
                                    .expected = "a folder with tokenizer.json or spiece.model"});
  }
  return *tokenizer;
}

int64_t Checkpoint::spatial_multiple() const {
  const Config& transformer = get("transformer").config;
  const std::vector<int64_t> patch_size = transformer.integers("patch_size", {1, 2, 2});
  if (patch_size.size() != 3 || patch_size[1] != patch_size[2] || patch_size[1] < 1 ||
      patch_size[1] > kLargestFactor) {
    transformer.fail("patch_size", "[frames, side, side]");
  }
  return get("vae").config.integer("scale_factor_spatial", 8, 1, kLargestFactor) * patch_size[1];
}

int64_t Checkpoint::temporal_multiple() const {
  return get("vae").config.integer("scale_factor_temporal", 4, 1, kLargestFactor);
}

}  // namespace t2v
