#include "files/checkpoints/checkpoint.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/log.h"
#include "families/wan/published_models.h"
#include "files/checkpoints/choose_parts.h"
#include "files/checkpoints/diffusers_folder.h"
#include "files/checkpoints/parts_check.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// No VAE compresses and no transformer patches by more in one direction.
constexpr int64_t kLargestFactor = 64;

/// Where each part can be had, for who lacks it.
struct Published {
  std::string_view component;
  const char* where;
};
constexpr Published kPublished[] = {
    {"transformer", "the diffusion_pytorch_model files of a Wan-AI repository"},
    {"transformer_2", "low_noise_model of the same Wan-AI repository"},
    {"vae", "Wan2.1_VAE.pth of Wan-AI/Wan2.1-T2V-1.3B (of Wan-AI/Wan2.2-TI2V-5B: Wan2.2_VAE.pth)"},
    {"text_encoder", "models_t5_umt5-xxl-enc-bf16.pth of Wan-AI/Wan2.1-T2V-1.3B"},
    {"tokenizer", "the folder google/umt5-xxl of Wan-AI/Wan2.1-T2V-1.3B"},
    {"image_encoder",
     "models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth of Wan-AI/Wan2.1-I2V-14B-480P"},
};

Error absent_error(const std::string& origin, const std::vector<std::string_view>& absent) {
  std::string names, advice;
  for (const std::string_view name : absent) {
    names += (names.empty() ? "no " : ", no ") + std::string(name);
    advice += (advice.empty() ? "" : "; ") + where_to_get(name);
  }
  return Error(
      ErrorCode::kInput,
      {.doing = "reading " + origin, .got = names, .expected = "all parts of a model", .advice = advice});
}

using Overrides = std::vector<std::pair<std::string, fs::path>>;

Overrides overrides_of(const CheckpointSources& sources) {
  Overrides overrides;
  for (const char* name : {"transformer", "transformer_2", "vae", "text_encoder", "image_encoder"}) {
    if (const auto found = sources.parts.find(name); found != sources.parts.end())
      overrides.push_back(*found);
  }
  return overrides;
}

/// The whole of a checkpoint, without the parts that are replaced anyway. Of what is no folder of diffusers
/// the components are in `loose`, to be chosen from.
Checkpoint open_model(const fs::path& model, const Overrides& overrides, ConfigsByComponent& replaced,
                      LooseParts& loose) {
  const auto refuse = [&model](const std::string& got, const std::string& advice) {
    throw Error(
        ErrorCode::kInput,
        {.doing = "--model " + model.string(), .got = got, .expected = "a checkpoint", .advice = advice});
  };
  std::error_code ignored;
  if (!fs::exists(model, ignored)) refuse("no such folder or file", "check the path");
  std::set<std::string, std::less<>> left_out;
  for (const auto& [name, path] : overrides) left_out.insert(name);
  if (is_diffusers_folder(model)) return open_diffusers_folder(model, left_out, replaced);
  // What the index says is in no other file.
  if (fs::exists(model / "transformer" / "config.json", ignored) &&
      fs::exists(model / "vae" / "config.json", ignored)) {
    refuse("a diffusers folder without model_index.json", "download the rest of it");
  }
  loose = open_loose_parts(model, {.left_out = left_out});
  if (loose.found.empty()) {
    refuse("a folder without model_index.json and without files of a model",
           "download the checkpoint, or check the path");
  }
  return {.origin = model.string(),
          .components = {},
          .tokenizer = loose.tokenizer,
          .scheduler = no_config(),
          .boundary_ratio = {}};
}

const Component* transformer_of(const Checkpoint& checkpoint) {
  const auto found = checkpoint.components.find("transformer");
  return found != checkpoint.components.end() ? &found->second : nullptr;
}

/// Moves the components of these kinds that were chosen into the checkpoint.
void add_chosen(Checkpoint& checkpoint, LooseParts& loose, std::initializer_list<const char*> kinds,
                PartChooser& chooser) {
  for (const char* kind : kinds) {
    auto chosen = chooser.choose(kind, std::move(loose.candidates[kind]), transformer_of(checkpoint));
    if (chosen) checkpoint.components.insert_or_assign(kind, std::move(*chosen));
  }
}

/// The component `name` of what a flag names.
void replace(Checkpoint& checkpoint, const std::string& name, const fs::path& path,
             const ConfigsByComponent& replaced) {
  if (is_diffusers_folder(path)) {
    ConfigsByComponent ignored;
    const Checkpoint other = open_diffusers_folder(path, {}, ignored);
    checkpoint.components.insert_or_assign(name, other.get(name));
    return;
  }
  // Which of the two experts a transformer is, the flag says.
  const bool second = name == "transformer_2";
  LooseOptions options{.left_out = {"transformer", "vae", "text_encoder", "image_encoder"},
                       .replaced = replaced};
  options.left_out.erase(second ? "transformer" : name);
  const std::string other_expert = second ? "transformer" : name == "transformer" ? "transformer_2" : name;
  if (second && checkpoint.has("transformer"))
    options.replaced.insert_or_assign("transformer", checkpoint.get("transformer").config);
  LooseParts parts = open_loose_parts(path, options);
  PartChooser chooser(path.string());
  const std::string& kind = parts.candidates.contains(name) ? name : other_expert;
  // What a flag names is meant, and refused by name where it does not fit.
  const bool several = parts.candidates[kind].size() > 1;
  auto chosen =
      chooser.choose(kind, std::move(parts.candidates[kind]), several ? transformer_of(checkpoint) : nullptr);
  chooser.expect_decided();
  if (!chosen) {
    std::string got = parts.found.empty() ? "no tensors" : "";
    for (const std::string& other : parts.found) got += (got.empty() ? "a " : ", a ") + other;
    throw Error(ErrorCode::kInput, {.doing = "reading " + path.string(),
                                    .got = got,
                                    .expected = "a " + name,
                                    .advice = "check the flag"});
  }
  checkpoint.components.insert_or_assign(name, std::move(*chosen));
  if (name == "text_encoder" && parts.tokenizer && !checkpoint.tokenizer)
    checkpoint.tokenizer = parts.tokenizer;
}

/// FastVideo's transformers bring gates for a sparse attention of its own. diffusers leaves them out and
/// attends to everything, as these were trained to approximate.
void leave_out_sparse_gates(Component& transformer) {
  const size_t erased = std::erase_if(transformer.tensors, [](const auto& tensor) {
    return tensor.first.find(".to_gate_compress.") != std::string::npos;
  });
  if (erased == 0) return;
  log_warning(
      transformer.origin + ": leaving out the " + std::to_string(erased) +
      " tensors of FastVideo's sparse attention (to_gate_compress); attention is full, as in diffusers");
}

/// Both experts have the same tensors: only what people call them tells that they were swapped.
void check_experts(const CheckpointSources& sources, const Checkpoint& checkpoint) {
  const fs::path first = sources.part("transformer"), second = sources.part("transformer_2");
  const bool first_is_low =
      checkpoint.has("transformer_2") && !first.empty() && expert_called(first) == Expert::kLowNoise;
  const bool second_is_high = !second.empty() && expert_called(second) == Expert::kHighNoise;
  if (!first_is_low && !second_is_high) return;
  const std::string flag =
      first_is_low ? "--transformer " + first.string() : "--transformer-2 " + second.string();
  throw Error(ErrorCode::kInput,
              {.doing = flag,
               .got = std::string("the ") + (first_is_low ? "low" : "high") + "-noise expert, by its name",
               .expected = "high noise in --transformer, low noise in --transformer-2",
               .advice = first_is_low && second_is_high ? "swap the two" : "name it with the other flag"});
}

/// Which expert the transformer is, by its name.
Expert expert_of(const Checkpoint& checkpoint) {
  const auto transformer = checkpoint.components.find("transformer");
  const bool named = transformer != checkpoint.components.end() && !transformer->second.files.empty();
  return named ? expert_called(transformer->second.files.front()->path()) : Expert::kUnknown;
}

/// {key: value}, where the metadata of the component's files has the key; {} where not. Error (kInput) for
/// text that is no JSON.
Config said_by_file(const Component& component, const std::string& key) {
  for (const auto& file : component.files) {
    const auto found = file->metadata().find(key);
    if (found == file->metadata().end()) continue;
    const std::string origin = file->path().string() + ", metadata";
    return Config::parse("{\"" + key + "\":" + found->second + "}", origin);
  }
  return no_config();
}

/// scheduler_config.json, where the transformer's file brings it; else that of the published model.
Config scheduler_of(const Component& transformer) {
  const Config said = said_by_file(transformer, kSchedulerMetadata);
  if (!said.has(kSchedulerMetadata)) return published_scheduler(transformer.config);
  const auto& scheduler = said.json().at(kSchedulerMetadata);
  if (!scheduler.is_object()) said.fail(kSchedulerMetadata, "an object");
  return Config(scheduler, transformer.origin + ", " + kSchedulerMetadata);
}

/// What model_index.json would say, from what the weights are.
void tell_pipeline(Checkpoint& checkpoint) {
  const auto found = checkpoint.components.find("transformer");
  if (found == checkpoint.components.end()) return;
  const Config& transformer = found->second.config;
  const int64_t in = transformer.integer("in_channels", 16), out = transformer.integer("out_channels", in);
  checkpoint.pipeline = PipelineClass::kWan;
  if (in > out || transformer.has("image_dim")) checkpoint.pipeline = PipelineClass::kWanImageToVideo;
  if (found->second.has("vace_patch_embedding.weight")) checkpoint.pipeline = PipelineClass::kWanVACE;
  // TI2V-5B alone has the VAE of residual levels.
  constexpr int64_t kChannelsOfTi2v = 48;
  checkpoint.expand_timesteps = checkpoint.has("vae")
                                    ? checkpoint.get("vae").config.boolean("is_residual", false)
                                    : in == kChannelsOfTi2v;
  const bool experts = checkpoint.has("transformer_2");
  if (experts && !checkpoint.boundary_ratio) {
    const Config said = said_by_file(found->second, kBoundaryMetadata);
    checkpoint.boundary_ratio = said.number(kBoundaryMetadata, published_boundary_ratio(transformer));
  }
  if (!experts) checkpoint.boundary_ratio.reset();
}

}  // namespace

std::string where_to_get(std::string_view component) {
  const auto* found = std::find_if(std::begin(kPublished), std::end(kPublished),
                                   [&](const Published& part) { return part.component == component; });
  return found != std::end(kPublished) ? "name it with " + flag_of(component) + ": " + found->where : "";
}

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
  const Overrides overrides = overrides_of(sources);
  ConfigsByComponent replaced;
  Checkpoint checkpoint{.origin = overrides.empty() ? "" : overrides.front().second.string(),
                        .components = {},
                        .tokenizer = {},
                        .scheduler = no_config(),
                        .boundary_ratio = {}};
  LooseParts loose;
  if (!sources.model.empty()) checkpoint = open_model(sources.model, overrides, replaced, loose);
  // The transformer tells which of several other parts is meant.
  PartChooser chooser(checkpoint.origin);
  add_chosen(checkpoint, loose, {"transformer", "transformer_2"}, chooser);
  for (const auto& [name, path] : overrides) replace(checkpoint, name, path, replaced);
  add_chosen(checkpoint, loose, {"vae", "text_encoder", "image_encoder"}, chooser);
  chooser.expect_decided();
  if (sources.parts.contains("tokenizer")) checkpoint.tokenizer = open_tokenizer(sources.part("tokenizer"));
  for (auto& [name, component] : checkpoint.components) {
    if (name.starts_with("transformer")) leave_out_sparse_gates(component);
  }
  const bool has_index = checkpoint.scheduler.has("_class_name");
  const bool other_transformer =
      sources.parts.contains("transformer") || sources.parts.contains("transformer_2");
  if (!has_index || other_transformer) tell_pipeline(checkpoint);
  if (!has_index && checkpoint.has("transformer")) {
    checkpoint.scheduler = scheduler_of(checkpoint.get("transformer"));
  }
  check_experts(sources, checkpoint);
  check_parts(checkpoint);
  return checkpoint;
}

const Component& Checkpoint::get(std::string_view component) const {
  const auto found = components.find(component);
  if (found == components.end()) throw absent_error(origin, {component});
  return found->second;
}

const TokenizerSource& Checkpoint::get_tokenizer() const {
  if (!tokenizer) throw absent_error(origin, {"tokenizer"});
  return *tokenizer;
}

bool Checkpoint::lacks_low_noise() const {
  return !has("transformer_2") && expert_of(*this) == Expert::kHighNoise;
}

std::string Checkpoint::lone_expert() const {
  if (has("transformer_2") || !has("transformer")) return "";
  const Expert expert = expert_of(*this);
  if (expert == Expert::kHighNoise) return "the high-noise expert, by its name";
  if (expert == Expert::kLowNoise) return "the low-noise expert, by its name";
  // It sees an image, but through no image encoder: no other published model does.
  const Config& config = get("transformer").config;
  const bool sees_image = pipeline == PipelineClass::kWanImageToVideo && !config.has("image_dim");
  return sees_image ? "one of the two experts of Wan2.2 I2V-A14B, by its tensors" : "";
}

void Checkpoint::expect_complete() const {
  std::vector<std::string_view> absent;
  for (const char* name : {"transformer", "vae", "text_encoder"}) {
    if (!has(name)) absent.push_back(name);
  }
  if (lacks_low_noise()) absent.push_back("transformer_2");
  if (!tokenizer) absent.push_back("tokenizer");
  if (has("transformer") && get("transformer").config.has("image_dim") && !has("image_encoder")) {
    absent.push_back("image_encoder");
  }
  if (!absent.empty()) throw absent_error(origin, absent);
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
