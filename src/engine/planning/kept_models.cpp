#include "engine/planning/kept_models.h"

#include <algorithm>
#include <map>
#include <string>

#include "tensors/weights/weights.h"

namespace t2v {
namespace {

/// Share of the memory that models may fill, because a plan may be wrong.
constexpr double kMargin = 0.9;

std::map<std::string, int64_t> bytes_of_each(const CostModel& costs, const Checkpoint& checkpoint) {
  std::map<std::string, int64_t> bytes;
  for (const auto& [name, component] : checkpoint.components) {
    if (find_part(*checkpoint.family, name)->tokenizer.empty())
      bytes[name] = static_cast<int64_t>(loaded_bytes(component, costs.use(name).options));
  }
  return bytes;
}

}  // namespace

uint64_t model_bytes(const CostModel& costs, const Checkpoint& checkpoint) {
  uint64_t all = 0;
  for (const auto& [name, bytes] : bytes_of_each(costs, checkpoint)) all += static_cast<uint64_t>(bytes);
  return all;
}

bool models_fit_together(const CostModel& costs, const Checkpoint& checkpoint, const Plan& plan) {
  const std::map<std::string, int64_t> bytes = bytes_of_each(costs, checkpoint);
  const int64_t vae = bytes.at(vae_of(*checkpoint.family).name);
  int64_t all = 0, transformer = 0, smallest_encoder = vae;
  for (const auto& [name, each] : bytes) {
    all += each;
    if (find_part(*checkpoint.family, name)->network() == denoiser_of(*checkpoint.family).name)
      transformer = std::max(transformer, each);
  }
  for (const ComponentWork& encoding : costs.conditions())
    smallest_encoder = std::min(smallest_encoder, bytes.at(encoding.component));
  const bool on_cpu = plan.device == "cpu";
  const int64_t available = on_cpu ? plan.available.host : plan.available.gpu;
  const auto fits = [&](const PlannedPhase& phase) {
    int64_t own = phase.name == "sampling" || phase.name == "decoding" ? vae : 0;
    if (phase.name == "images") own = smallest_encoder;
    if (phase.name == "sampling") own += transformer;
    const int64_t taken = on_cpu ? phase.host_bytes - phase.mapped_bytes : phase.gpu_bytes;
    return static_cast<double>(taken + all - own) <= kMargin * static_cast<double>(available);
  };
  return available == 0 || std::all_of(plan.phases.begin(), plan.phases.end(), fits);
}

}  // namespace t2v
