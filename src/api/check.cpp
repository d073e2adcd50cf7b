#include <algorithm>
#include <cmath>
#include <random>

#include "api/check_conditions.h"
#include "api/check_loras.h"
#include "api/check_preview.h"
#include "api/data_folder.h"
#include "api/presets.h"
#include "api/sources.h"
#include "checkpoints/checkpoint.h"
#include "media/output_format.h"
#include "schedulers/samplers.h"
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
  if (!request.sigmas.empty() &&
      static_cast<int64_t>(request.sigmas.size()) != *request.num_inference_steps) {
    usage_error("--sigmas", std::to_string(request.sigmas.size()) + " values",
                "one for each of the " + std::to_string(*request.num_inference_steps) + " steps",
                "leave out --steps");
  }
}

void check_files(const GenerateRequest& request) {
  check_output(request.output, {.quality = request.quality,
                                .crf = request.crf,
                                .overwrite = request.overwrite,
                                .frame_count = *request.num_frames,
                                .settings_file = request.metadata});
  if (request.save_latents.empty()) return;
  if (request.save_latents == request.output) {
    usage_error("--save-latents", "the name of the clip", "another name", "add .safetensors to it");
  }
  check_file("--save-latents", request.save_latents, request.overwrite);
}

/// What is the name of a model becomes its place in the cache.
void locate_parts(GenerateRequest& request) {
  for (std::filesystem::path* part :
       {&request.model, &request.transformer, &request.transformer_2, &request.vae, &request.text_encoder,
        &request.tokenizer, &request.image_encoder}) {
    *part = locate_model(*part);
  }
  for (std::vector<LoraChoice>* loras : {&request.loras, &request.loras_2}) {
    for (LoraChoice& lora : *loras) lora.file = locate_model(lora.file);
  }
}

uint64_t random_seed() {
  std::random_device device;
  // 32 bits: short enough to type again.
  return device();
}

}  // namespace

GenerateRequest check(const GenerateRequest& request) {
  GenerateRequest checked = request;
  check_prompts(checked);
  if (checked.model.empty() && checked.transformer.empty()) checked.model = bundled_model();
  locate_parts(checked);
  const Checkpoint checkpoint = Checkpoint::open(sources_of(checked));
  checkpoint.expect_complete();
  if (!checked.sigmas.empty() && !checked.num_inference_steps) {
    checked.num_inference_steps = static_cast<int64_t>(checked.sigmas.size());
  }
  check_loras(checked, checkpoint);
  apply_preset(checkpoint, checked);
  check_sampling(checked);
  check_size(*checked.width, *checked.height, checkpoint.spatial_multiple());
  if (!checked.num_frames) {
    checked.num_frames = frames_of_duration(*checked.duration, *checked.fps, checkpoint.temporal_multiple());
  }
  check_grid("--frames", *checked.num_frames, checkpoint.temporal_multiple(), 1, kFrameCounts.largest);
  check_conditions(checked, checkpoint);
  check_files(checked);
  check_preview(checked);
  if (!checked.seed) checked.seed = random_seed();
  return checked;
}

}  // namespace t2v
