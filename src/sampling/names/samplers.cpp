#include "sampling/names/samplers.h"

#include <vector>

#include "t2v/error.h"

namespace t2v {
namespace {

const std::vector<Sampler>& samplers() {
  static const std::vector<Sampler> all = {
      {"unipc", "UniPCMultistepScheduler", "flow_shift"},
      {"euler", "FlowMatchEulerDiscreteScheduler", "shift"},
      {"lcm", "FlowMatchLCMScheduler", "shift"},
      {"dpm++", "DPMSolverMultistepScheduler", "flow_shift"},
  };
  return all;
}

std::string list_of(std::string Sampler::*part) {
  std::string list;
  for (const Sampler& sampler : samplers()) list += (list.empty() ? "" : " or ") + sampler.*part;
  return list;
}

}  // namespace

const Sampler& sampler_named(const std::string& name) {
  for (const Sampler& sampler : samplers()) {
    if (sampler.name == name) return sampler;
  }
  throw Error(ErrorCode::kUsage,
              {.doing = "--sampler", .got = "'" + name + "'", .expected = list_of(&Sampler::name)});
}

const Sampler& sampler_of(const Config& scheduler_config) {
  const std::string class_name = scheduler_config.text("_class_name", "");
  for (const Sampler& sampler : samplers()) {
    if (sampler.class_name != class_name) continue;
    // Euler's stochastic sampling is LCM's step.
    const bool stochastic = sampler.name == "euler" && scheduler_config.boolean("stochastic_sampling", false);
    return stochastic ? sampler_named("lcm") : sampler;
  }
  scheduler_config.fail("_class_name", list_of(&Sampler::class_name));
}

double shift_of(const Config& scheduler_config, const Sampler& sampler) {
  std::string key = sampler.shift_key;
  if (!scheduler_config.has(key) && scheduler_config.text("_class_name", "") != sampler.class_name)
    key = key == "shift" ? "flow_shift" : "shift";
  const double shift = scheduler_config.number(key, 1.0);
  if (shift <= 0) scheduler_config.fail(key, "a number above 0");
  return shift;
}

}  // namespace t2v
