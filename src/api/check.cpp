#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "api/aspect.h"
#include "api/check_conditions.h"
#include "api/check_loras.h"
#include "api/check_preview.h"
#include "api/data_folder.h"
#include "api/presets.h"
#include "core/log.h"
#include "engine/interface/output_options.h"
#include "engine/interface/settings.h"
#include "engine/interface/sources.h"
#include "files/checkpoints/checkpoint.h"
#include "media/output_format.h"
#include "sampling/names/cache_options.h"
#include "sampling/names/samplers.h"
#include "t2v/checker.h"
#include "t2v/error.h"
#include "t2v/generate.h"
#include "t2v/hub.h"
#include "t2v/limits.h"
#include "t2v/text.h"

namespace t2v {
namespace {

[[noreturn]] void usage_error(const std::string& flag, const std::string& got, const std::string& expected,
                              const std::string& advice = "") {
  throw Error(ErrorCode::kUsage, {.doing = flag, .got = got, .expected = expected, .advice = advice});
}

void check_text(const std::string& flag, const std::string& text) {
  if (!is_valid_utf8(text)) usage_error(flag, "bytes that are not UTF-8", "UTF-8 text");
  if (text.size() > kLongestPrompt) {
    usage_error(flag, std::to_string(text.size()) + " bytes", "at most " + std::to_string(kLongestPrompt));
  }
}

/// Error unless `value` is k * step + offset with k >= 1 (or k >= 0 where offset > 0); names the two nearest
/// that are.
void check_grid(const std::string& flag, int64_t value, int64_t step, int64_t offset, int64_t largest) {
  const int64_t smallest = offset > 0 ? offset : step;
  const auto nearest = [&](int64_t wanted) {
    return std::clamp((wanted - offset) / step * step + offset, smallest,
                      (largest - offset) / step * step + offset);
  };
  if (value >= smallest && value <= largest && (value - offset) % step == 0) return;
  const int64_t below = nearest(std::min(std::max(value, smallest), largest));
  const int64_t above = nearest(std::min(below + step, largest));
  const std::string rule =
      "a multiple of " + std::to_string(step) + (offset > 0 ? " plus " + std::to_string(offset) : "");
  const bool between = value > below && above > value;
  usage_error(flag, std::to_string(value),
              rule + " from " + std::to_string(smallest) + " to " + std::to_string(largest),
              "use " + std::to_string(below) + (between ? " or " + std::to_string(above) : ""));
}

/// Error unless both sides are multiples of `step`; names the nearest size of which they are.
void check_size(int64_t width, int64_t height, int64_t step) {
  const auto nearest = [step](int64_t side) {
    const int64_t limited = std::clamp(side, kSides.smallest, kSides.largest);
    return std::clamp((limited + step / 2) / step * step, step, kSides.largest / step * step);
  };
  const auto shown = [](int64_t w, int64_t h) { return std::to_string(w) + "x" + std::to_string(h); };
  if (nearest(width) == width && nearest(height) == height) return;
  usage_error("--size (or --width, --height)", shown(width, height),
              "multiples of " + std::to_string(step) + " from " + std::to_string(step) + " to " +
                  std::to_string(kSides.largest),
              "the nearest is " + shown(nearest(width), nearest(height)));
}

/// num_frames from --duration, which must come out as a length that the model can make.
int64_t frames_of_duration(double duration, double fps, int64_t temporal_multiple) {
  const double frames = duration * fps;
  const int64_t below =
      static_cast<int64_t>(std::floor((frames - 1) / temporal_multiple)) * temporal_multiple + 1;
  for (const int64_t candidate : {below, below + temporal_multiple}) {
    if (candidate >= 1 && std::abs(frames - static_cast<double>(candidate)) < 1e-6) return candidate;
  }
  const auto seconds = [&](int64_t count) {
    std::string text = std::to_string(static_cast<double>(count) / fps);
    return text.substr(0, text.find_last_not_of('0') + 1);
  };
  usage_error("--duration", std::to_string(frames) + " frames at this rate",
              "a multiple of " + std::to_string(temporal_multiple) + " plus 1",
              "use --frames " + std::to_string(std::max<int64_t>(below, 1)) + " or " +
                  std::to_string(std::max<int64_t>(below, 1) + temporal_multiple) + ", which is --duration " +
                  seconds(std::max<int64_t>(below, 1)) + " or " +
                  seconds(std::max<int64_t>(below, 1) + temporal_multiple));
}

void check_prompts(const GenerateRequest& request) {
  check_text("--prompt", request.prompt);
  if (request.negative_prompt) check_text("--negative-prompt", *request.negative_prompt);
  if (request.prompt.find_first_not_of(" \t\r\n\v\f") == std::string::npos) {
    usage_error("--prompt", "nothing but blanks", "a description of the clip");
  }
}

void check_sampling(const GenerateRequest& request) {
  const auto check_range = [](const char* flag, auto value, auto range) {
    if (value >= range.smallest && value <= range.largest) return;  // false for NaN
    usage_error(flag, std::to_string(value),
                "a number from " + std::to_string(range.smallest) + " to " + std::to_string(range.largest));
  };
  check_range("--steps", *request.num_inference_steps, kStepCounts);
  check_range("--fps", *request.fps, kFrameRates);
  check_range("--guidance-scale", *request.guidance_scale, kGuidanceScales);
  check_range("--flow-shift", *request.flow_shift, kFlowShifts);
  if (request.guidance_scale_2) check_range("--guidance-scale-2", *request.guidance_scale_2, kGuidanceScales);
  if (request.boundary_ratio) check_range("--boundary-ratio", *request.boundary_ratio, kBoundaryRatios);
  if (request.conditioning_scale)
    check_range("--conditioning-scale", *request.conditioning_scale, kConditioningScales);
  sampler_named(*request.sampler);
  read_cache_options(request.cache_mode, request.cache_options, *request.num_inference_steps);
  if (!request.sigmas.empty() &&
      static_cast<int64_t>(request.sigmas.size()) != *request.num_inference_steps) {
    usage_error("--sigmas", std::to_string(request.sigmas.size()) + " values",
                "one for each of the " + std::to_string(*request.num_inference_steps) + " steps",
                "leave out --steps");
  }
}

/// `tried`: folders that take files.
void check_files(const GenerateRequest& request, std::set<std::filesystem::path>& tried) {
  OutputOptions options = output_options(request);
  options.folder_is_tried = tried.contains(request.output.parent_path());
  check_output(request.output, options);
  if (!is_stream(request.output)) tried.insert(request.output.parent_path());
  std::error_code ignored;
  if (std::filesystem::exists(request.embeds_cache, ignored) &&
      !std::filesystem::is_directory(request.embeds_cache, ignored)) {
    throw Error(ErrorCode::kOutput, {.doing = "--embeds-cache " + request.embeds_cache.string(),
                                     .got = "a file",
                                     .expected = "a folder that can be written"});
  }
  if (request.save_latents.empty()) return;
  if (is_of_clip(request, request.save_latents)) {
    usage_error("--save-latents", "the name of the clip", "another name", "add .safetensors to it");
  }
  check_file("--save-latents", request.save_latents, request.overwrite);
}

/// Every file and folder that a model is put together from.
std::vector<std::filesystem::path*> parts_of(GenerateRequest& request) {
  std::vector<std::filesystem::path*> parts = {
      &request.model,        &request.transformer, &request.transformer_2, &request.vae,
      &request.text_encoder, &request.tokenizer,   &request.image_encoder};
  for (std::vector<LoraChoice>* loras : {&request.loras, &request.loras_2}) {
    parts.push_back(nullptr);
    for (LoraChoice& lora : *loras) parts.push_back(&lora.file);
  }
  return parts;
}

/// The same text for requests that name the same parts.
std::string key_of(GenerateRequest& request) {
  std::string key;
  for (const std::filesystem::path* part : parts_of(request)) {
    key += (part == nullptr ? std::string() : part->string()) + '\0';
  }
  return key;
}

uint64_t random_seed() {
  std::random_device device;
  // 32 bits: short enough to type again.
  return device();
}

/// What the files of a model tell, for requests that name the same parts.
struct Model {
  GenerateRequest located;  ///< its parts are where they are, be it in the cache
  Checkpoint checkpoint;
  Config preset;
};

Model open_model(const GenerateRequest& request) {
  GenerateRequest located = request;
  if (located.model.empty() && located.transformer.empty()) located.model = bundled_model();
  for (std::filesystem::path* part : parts_of(located)) {
    if (part != nullptr) *part = locate_model(*part);
  }
  Checkpoint checkpoint = Checkpoint::open(sources_of(located));
  checkpoint.expect_complete();
  if (const std::string expert = checkpoint.lone_expert(); !expert.empty()) {
    log_warning("the transformer is " + expert +
                ", without the other one: name both, for high noise with "
                "--transformer, for low noise with --transformer-2");
  }
  check_loras(located, checkpoint);
  Config preset = find_preset(checkpoint, located);
  return {std::move(located), std::move(checkpoint), std::move(preset)};
}

}  // namespace

struct Checker::Memory {
  std::map<std::string, Model> models;
  std::set<std::filesystem::path> folders;  // that take files
};

Checker::Checker() : memory_(std::make_unique<Memory>()) {}
Checker::~Checker() = default;

GenerateRequest Checker::check(const GenerateRequest& request) {
  GenerateRequest checked = request;
  check_prompts(checked);
  const std::string key = key_of(checked);
  auto found = memory_->models.find(key);
  if (found == memory_->models.end()) found = memory_->models.emplace(key, open_model(checked)).first;
  Model& model = found->second;
  const std::vector<std::filesystem::path*> parts = parts_of(checked), located = parts_of(model.located);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] != nullptr) *parts[i] = *located[i];
  }
  if (!checked.sigmas.empty() && !checked.num_inference_steps) {
    checked.num_inference_steps = static_cast<int64_t>(checked.sigmas.size());
  }
  const Checkpoint& checkpoint = model.checkpoint;
  checked.preset = model.preset.origin();
  const int64_t area = model.preset.integer("width", 1) * model.preset.integer("height", 1);
  apply_aspect(checked, area, checkpoint.spatial_multiple());
  apply_preset(model.preset, checkpoint, checked);
  check_sampling(checked);
  check_size(*checked.width, *checked.height, checkpoint.spatial_multiple());
  if (!checked.num_frames) {
    checked.num_frames = frames_of_duration(*checked.duration, *checked.fps, checkpoint.temporal_multiple());
  }
  check_grid("--frames", *checked.num_frames, checkpoint.temporal_multiple(), 1, kFrameCounts.largest);
  check_conditions(checked, checkpoint);
  check_files(checked, memory_->folders);
  check_preview(checked);
  if (!checked.seed) checked.seed = random_seed();
  return checked;
}

GenerateRequest check(const GenerateRequest& request) { return Checker().check(request); }

std::string settings_of(const GenerateRequest& checked) {
  return settings_json(checked, {.device = checked.device});
}

std::filesystem::path first_file(const GenerateRequest& checked) {
  const bool sequence = output_container(checked.output) == Container::kPngSequence;
  return sequence ? SequenceNames(checked.output, *checked.num_frames).frame(1) : checked.output;
}

std::filesystem::path settings_file(const GenerateRequest& checked) {
  const bool sequence = output_container(checked.output) == Container::kPngSequence;
  return sequence ? SequenceNames(checked.output, *checked.num_frames).settings() : checked.output;
}

bool is_of_clip(const GenerateRequest& request, const std::filesystem::path& file) {
  const auto named = [](const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::absolute(path, ignored).lexically_normal();
  };
  const std::filesystem::path wanted = named(file);
  if (file.empty() || is_stream(request.output)) return false;
  if (wanted == named(request.output)) return true;
  if (output_container(request.output) != Container::kPngSequence) return false;
  const int64_t count = request.num_frames.value_or(kFrameCounts.largest);
  const SequenceNames names(named(request.output), count);
  if (wanted == names.settings()) return true;
  for (int64_t number = 1; names.numbered() && number <= count; ++number) {
    if (wanted == names.frame(number)) return true;
  }
  return false;
}

}  // namespace t2v
