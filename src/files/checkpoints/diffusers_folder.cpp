#include "files/checkpoints/diffusers_folder.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "files/checkpoints/identify.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// A component as model_index.json may name it.
struct ComponentKind {
  const char* name;
  const char* base;  ///< what its library calls the file of its weights
  std::vector<std::string> classes;
  bool required;
};

const std::vector<ComponentKind>& component_kinds() {
  static const std::vector<std::string> transformers = {"WanTransformer3DModel", "WanVACETransformer3DModel"};
  static const std::vector<ComponentKind> kinds = {
      {"transformer", "diffusion_pytorch_model", transformers, true},
      {"transformer_2", "diffusion_pytorch_model", transformers, false},
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
  // FastVideo's distilled models: the same network, sampled in another way.
  if (name == "WanDMDPipeline") return PipelineClass::kWan;
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
  join_scales(component);
  if (std::string_view(kind.name) != "vae") split_fused(component);
  return component;
}

}  // namespace

bool is_diffusers_folder(const fs::path& folder) {
  std::error_code ignored;
  return fs::symlink_status(folder / "model_index.json", ignored).type() > fs::file_type::not_found;
}

Checkpoint open_diffusers_folder(const fs::path& folder, const std::set<std::string, std::less<>>& left_out,
                                 ConfigsByComponent& configs) {
  const Config index = Config::read(folder / "model_index.json");
  Checkpoint checkpoint{.origin = folder.string(),
                        .pipeline = pipeline_of(index),
                        .components = {},
                        .tokenizer = {},
                        .scheduler = Config::read(folder / "scheduler" / "scheduler_config.json"),
                        .boundary_ratio = {},
                        .expand_timesteps = index.boolean("expand_timesteps", false)};
  if (std::error_code ignored; fs::exists(folder / "tokenizer", ignored))
    checkpoint.tokenizer = TokenizerSource{.path = folder / "tokenizer"};
  if (index.has("boundary_ratio")) checkpoint.boundary_ratio = index.number("boundary_ratio", 0);
  for (const ComponentKind& kind : component_kinds()) {
    const fs::path part = folder / kind.name;
    std::error_code ignored;
    if (left_out.contains(kind.name)) {
      if (fs::exists(part / "config.json", ignored))
        configs.emplace(kind.name, Config::read(part / "config.json"));
      continue;
    }
    const std::string class_name = component_class(index, kind.name);
    if (class_name.empty() && !kind.required) continue;
    if (std::find(kind.classes.begin(), kind.classes.end(), class_name) == kind.classes.end()) {
      unsupported(index.origin(), std::string(kind.name) + " '" + class_name + "'", kind.classes.front());
    }
    checkpoint.components.emplace(kind.name, open_component(part, kind));
  }
  return checkpoint;
}

}  // namespace t2v
