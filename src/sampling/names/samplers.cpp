#include "sampling/names/samplers.h"

#include <algorithm>

#include "core/setting.h"
#include "core/text.h"
#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

std::vector<std::string> all_of(std::string Sampler::*part) {
  std::vector<std::string> list;
  for (const Sampler& sampler : samplers()) list.push_back(sampler.*part);
  return list;
}

}  // namespace

const std::vector<Sampler>& samplers() {
  static const std::vector<Sampler> all = {
      {SamplerKind::kUniPC, "unipc", "UniPCMultistepScheduler", "flow_shift"},
      {SamplerKind::kEuler, "euler", "FlowMatchEulerDiscreteScheduler", "shift"},
      {SamplerKind::kLcm, "lcm", "FlowMatchLCMScheduler", "shift"},
      {SamplerKind::kDpm, "dpm++", "DPMSolverMultistepScheduler", "flow_shift"},
  };
  return all;
}

const std::vector<std::string>& sampler_names() {
  static const std::vector<std::string> names = all_of(&Sampler::name);
  return names;
}

const Sampler& sampler_of(SamplerKind kind) {
  return *std::find_if(samplers().begin(), samplers().end(),
                       [&](const Sampler& sampler) { return sampler.kind == kind; });
}

const Sampler& sampler_named(const std::string& name) {
  for (const Sampler& sampler : samplers()) {
    if (sampler.name == name) return sampler;
  }
  throw Error(ErrorCode::kUsage,
              {.doing = setting("sampler"), .got = "'" + name + "'", .expected = one_of(sampler_names())});
}

const Sampler& sampler_of(const Config& scheduler_config) {
  const std::string class_name = scheduler_config.text("_class_name", "");
  for (const Sampler& sampler : samplers()) {
    if (sampler.class_name != class_name) continue;
    // A stochastic step of Euler is a step of LCM.
    const bool stochastic =
        sampler.kind == SamplerKind::kEuler && scheduler_config.boolean("stochastic_sampling", false);
    return stochastic ? sampler_of(SamplerKind::kLcm) : sampler;
  }
  scheduler_config.fail("_class_name", one_of(all_of(&Sampler::class_name)));
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
