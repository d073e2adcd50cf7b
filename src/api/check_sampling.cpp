#include <random>

#include <nlohmann/json.hpp>

#include "api/checks.h"
#include "api/presets.h"
#include "core/setting.h"
#include "sampling/names/cache_options.h"
#include "sampling/names/samplers.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

uint64_t random_seed() {
  std::random_device device;
  // 32 bits: short enough to type again.
  return device();
}

/// The number of steps, and the noise levels that belong to it.
void decide_steps(const Sampling& asked, const Config& preset, CheckedSampling& sampling) {
  sampling.sigmas = asked.sigmas;
  const auto levels = static_cast<int64_t>(asked.sigmas.size());
  const int64_t usual = levels > 0 ? levels : preset_integer(preset, "num_inference_steps");
  sampling.num_inference_steps = asked.num_inference_steps.value_or(usual);
  check_range("num_inference_steps", sampling.num_inference_steps, kStepCounts);
  const std::string steps = std::to_string(sampling.num_inference_steps);
  if (levels > 0 && levels != sampling.num_inference_steps) {
    usage_error(setting("sigmas"), std::to_string(levels) + " values",
                "one for each of the " + steps + " steps", "leave out `num_inference_steps`");
  }
  const std::vector<double> sigmas = preset.numbers("sigmas", {});
  const bool fits = static_cast<int64_t>(sigmas.size()) == sampling.num_inference_steps;
  if (levels == 0 && fits) sampling.sigmas = sigmas;
}

/// The scales of guidance, and where the second expert takes over.
void decide_guidance(const Sampling& asked, const Config& preset, const Checkpoint& checkpoint,
                     CheckedSampling& sampling) {
  sampling.guidance_scale = asked.guidance_scale.value_or(preset_number(preset, "guidance_scale"));
  sampling.guidance_scale_2 = asked.guidance_scale_2;
  sampling.boundary_ratio = asked.boundary_ratio;
  check_range("guidance_scale", sampling.guidance_scale, kGuidanceScales);
  if (checkpoint.has_two_denoisers()) {
    const bool usual = !asked.guidance_scale && !asked.guidance_scale_2;
    if (usual && preset.has("guidance_scale_2"))
      sampling.guidance_scale_2 = preset_number(preset, "guidance_scale_2");
    if (!asked.boundary_ratio && checkpoint.index.has("boundary_ratio"))
      sampling.boundary_ratio = checkpoint.index.number("boundary_ratio", 0);
    if (!sampling.boundary_ratio && preset.has("boundary_ratio"))
      sampling.boundary_ratio = preset_number(preset, "boundary_ratio");
  }
  if (sampling.guidance_scale_2) check_range("guidance_scale_2", *sampling.guidance_scale_2, kGuidanceScales);
  if (sampling.boundary_ratio) check_range("boundary_ratio", *sampling.boundary_ratio, kBoundaryRatios);
}

void decide_sampler(const Sampling& asked, const Config& preset, const Checkpoint& checkpoint,
                    CheckedSampling& sampling) {
  sampling.sampler = asked.sampler           ? *asked.sampler
                     : preset.has("sampler") ? preset.text("sampler", "")
                                             : sampler_of(checkpoint.scheduler).name;
  const Sampler& sampler = sampler_named(sampling.sampler);
  sampling.flow_shift = asked.flow_shift           ? *asked.flow_shift
                        : preset.has("flow_shift") ? preset_number(preset, "flow_shift")
                                                   : shift_of(checkpoint.scheduler, sampler);
  check_range("flow_shift", sampling.flow_shift, kFlowShifts);
  sampling.legacy_sigmas = asked.legacy_sigmas;
}

}  // namespace

CheckedSampling check_sampling(const Sampling& asked, const Config& preset, const Checkpoint& checkpoint) {
  CheckedSampling sampling;
  decide_steps(asked, preset, sampling);
  decide_guidance(asked, preset, checkpoint, sampling);
  decide_sampler(asked, preset, checkpoint, sampling);
  sampling.seed = asked.seed ? *asked.seed : random_seed();
  return sampling;
}

StepCaching check_caching(const StepCaching& asked, const Config& preset, int64_t num_inference_steps) {
  StepCaching caching = asked;
  const auto known = preset.json().value("teacache", std::vector<std::string>());
  const bool filled = !caching.options.empty() && !known.empty() && caching.options[0] == known[0];
  // The last of two options counts: the user's come after the preset's.
  if (caching.mode == "teacache" && !filled)
    caching.options.insert(caching.options.begin(), known.begin(), known.end());
  read_cache_options(caching.mode, caching.options, num_inference_steps);
  return caching;
}

}  // namespace t2v
