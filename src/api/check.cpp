#include <algorithm>
#include <map>
#include <set>

#include "api/checks.h"
#include "api/data_folder.h"
#include "api/locate_model.h"
#include "api/presets.h"
#include "core/log.h"
#include "core/setting.h"
#include "core/text.h"
#include "engine/interface/settings.h"
#include "engine/interface/sources.h"
#include "families/registry.h"
#include "t2v/checker.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

void check_text(const std::string& name, const std::string& text) {
  if (!is_valid_utf8(text)) usage_error(setting(name), "bytes that are not UTF-8", "UTF-8 text");
  if (text.size() > kLongestPrompt) {
    usage_error(setting(name), std::to_string(text.size()) + " bytes",
                "at most " + std::to_string(kLongestPrompt));
  }
}

void check_prompts(const GenerateRequest& request) {
  check_text("prompt", request.prompt);
  if (request.negative_prompt) check_text("negative_prompt", *request.negative_prompt);
  if (request.prompt.find_first_not_of(" \t\r\n\v\f") == std::string::npos) {
    usage_error(setting("prompt"), "nothing but blanks", "a description of the clip");
  }
}

void check_machine(const Machine& machine) {
  std::error_code ignored;
  if (std::filesystem::exists(machine.embeds_cache, ignored) &&
      !std::filesystem::is_directory(machine.embeds_cache, ignored)) {
    throw Error(ErrorCode::kOutput, {.doing = setting("embeds_cache", machine.embeds_cache.string()),
                                     .got = "a file",
                                     .expected = "a folder that can be written"});
  }
}

/// Finds the files, of which some are in the model cache.
ModelChoice locate(ModelChoice choice) {
  const bool has_denoiser = std::any_of(families().begin(), families().end(), [&](const Family* family) {
    return !choice.part(denoiser_of(*family).name).empty();
  });
  if (choice.model.empty() && !has_denoiser) choice.model = bundled_model();
  choice.model = locate_model(choice.model);
  for (auto& [component, path] : choice.parts) path = locate_model(path);
  for (auto* loras : {&choice.loras, &choice.loras_2}) {
    for (LoraChoice& lora : *loras) lora.file = locate_model(lora.file);
  }
  return choice;
}

/// The choice with the strengths of the LoRAs in `other`, which has as many.
ModelChoice with_strengths(ModelChoice choice, const ModelChoice& other) {
  for (size_t i = 0; i < choice.loras.size(); ++i) choice.loras[i].strength = other.loras[i].strength;
  for (size_t i = 0; i < choice.loras_2.size(); ++i) choice.loras_2[i].strength = other.loras_2[i].strength;
  return choice;
}

/// The choice with every LoRA at its usual strength: equal for the same files.
ModelChoice without_strengths(ModelChoice choice) {
  for (auto* loras : {&choice.loras, &choice.loras_2}) {
    for (LoraChoice& lora : *loras) lora.strength = 1;
  }
  return choice;
}

/// The headers of a model's files.
struct OpenModel {
  ModelChoice located;
  Checkpoint checkpoint;
  Config preset;
};

OpenModel open_model(const ModelChoice& choice) {
  ModelChoice located = locate(choice);
  Checkpoint checkpoint = Checkpoint::open(sources_of(located));
  checkpoint.expect_complete();
  for (const MissingPart& part : checkpoint.missing_parts()) {
    if (!part.advice.empty()) log_warning(part.advice);
  }
  check_loras(located, checkpoint);
  Config preset = find_preset(checkpoint, located);
  return {std::move(located), std::move(checkpoint), std::move(preset)};
}

}  // namespace

struct Checker::Memory {
  std::map<ModelChoice, OpenModel> models;           // by the choice without strengths
  std::set<std::filesystem::path> writable_folders;  // that were tried

  const OpenModel& open(const ModelChoice& choice) {
    auto found = models.find(choice);
    if (found == models.end()) found = models.emplace(choice, open_model(choice)).first;
    return found->second;
  }
};

Checker::Checker() : memory_(std::make_unique<Memory>()) {}
Checker::~Checker() = default;

CheckedRequest Checker::check(const GenerateRequest& request) {
  check_prompts(request);
  const auto& [located, checkpoint, preset] = memory_->open(without_strengths(request.model));
  CheckedRequest checked{
      .prompt = request.prompt,
      .negative_prompt = request.negative_prompt.value_or(preset.text("negative_prompt", "")),
      .model = with_strengths(located, request.model),
      .conditions = request.conditions,
      .machine = request.machine,
      .encoding = request.encoding,
      .outputs = request.outputs,
      .arguments = request.arguments,
      .preset = preset.origin()};
  checked.sampling = check_sampling(request.sampling, preset, checkpoint);
  checked.caching = check_caching(request.caching, preset, checked.sampling.num_inference_steps);
  checked.size = check_size(request.size, preset, checkpoint);
  check_conditions(checked.conditions, checked.size.num_frames, checkpoint);
  check_experts(checked.sampling, checkpoint);
  check_machine(checked.machine);
  check_outputs(checked.outputs, checked.encoding, checked.size, memory_->writable_folders);
  return checked;
}

CheckedRequest check(const GenerateRequest& request) { return Checker().check(request); }

std::string settings_of(const CheckedRequest& request) {
  return settings_json(request, {.device = request.machine.device});
}

}  // namespace t2v
