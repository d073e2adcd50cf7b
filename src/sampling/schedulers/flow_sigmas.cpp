#include "sampling/schedulers/flow_sigmas.h"

#include <algorithm>
#include <cmath>

#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

/// The shift of the user, else the shift of the config.
double read_shift(const Config& config, const SchedulerOverrides& overrides, SamplerKind sampler) {
  if (!overrides.flow_shift) return shift_of(config, sampler_of(sampler));
  const double shift = *overrides.flow_shift;
  if (std::isfinite(shift) && shift > 0) return shift;
  throw Error(ErrorCode::kUsage, {.doing = "setting the flow shift",
                                  .got = std::to_string(shift),
                                  .expected = "a number above 0",
                                  .advice = "3 suits 480p, 5 suits 720p"});
}

std::vector<double> checked_overrides(const std::vector<double>& sigmas) {
  bool usable = static_cast<int64_t>(sigmas.size()) <= kStepCounts.largest;
  for (size_t i = 0; i < sigmas.size(); ++i) {
    // NaN fails each of these comparisons.
    usable = usable && sigmas[i] > 0 && sigmas[i] <= (i == 0 ? 1.0 : sigmas[i - 1]) &&
             (i == 0 || sigmas[i] != sigmas[i - 1]);
  }
  if (usable) return sigmas;
  throw Error(ErrorCode::kUsage,
              {.doing = "reading the requested sigmas",
               .got = std::to_string(sigmas.size()) + " values that do not fall from 1 towards 0",
               .expected = "at most 1000, each above 0 and below the one before, the first at most 1",
               .advice = "for example 1,0.75,0.5,0.25"});
}

}  // namespace

FlowSigmas::FlowSigmas(const Config& config, const SchedulerOverrides& overrides, SamplerKind sampler)
    : num_train_timesteps_(config.integer("num_train_timesteps", 1000)),
      shift_(read_shift(config, overrides, sampler)),
      shift_terminal_(config.number("shift_terminal", 0.0)),
      overrides_(checked_overrides(overrides.sigmas)) {
  if (shift_terminal_ < 0 || shift_terminal_ >= 1)
    config.fail("shift_terminal", "a number from 0 to below 1");
  for (const char* key :
       {"use_dynamic_shifting", "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"}) {
    if (config.boolean(key, false)) config.fail(key, "false: other grids are not supported");
  }
}

std::vector<double> FlowSigmas::legacy_grid(int64_t num_inference_steps) const {
  const double smallest = 1.0 / static_cast<double>(num_train_timesteps_);
  std::vector<double> sigmas = linspace(1.0, smallest, num_inference_steps + 1);
  std::reverse(sigmas.begin(), sigmas.end());
  for (double& sigma : sigmas) sigma = 1.0 - sigma;
  sigmas.pop_back();
  return sigmas;
}

template <typename Real>
std::vector<double> FlowSigmas::shifted(const std::vector<double>& grid) const {
  std::vector<Real> sigmas(grid.begin(), grid.end());
  for (Real& sigma : sigmas) sigma = shift_sigma(shift_, sigma);
  if (shift_terminal_ != 0) {
    const Real scale = (Real(1) - sigmas.back()) / Real(1 - shift_terminal_);
    for (Real& sigma : sigmas) sigma = Real(1) - (Real(1) - sigma) / scale;
  }
  return {sigmas.begin(), sigmas.end()};
}

template std::vector<double> FlowSigmas::shifted<float>(const std::vector<double>& grid) const;
template std::vector<double> FlowSigmas::shifted<double>(const std::vector<double>& grid) const;

std::vector<double> FlowSigmas::to_float32(std::vector<double> grid) const {
  bool falling = true;
  for (size_t i = 0; i < grid.size(); ++i) {
    grid[i] = static_cast<float>(grid[i]);
    falling = falling && grid[i] >= 0 && (i == 0 ? grid[i] <= 1 : grid[i] < grid[i - 1]);
  }
  if (falling) return grid;
  throw Error(ErrorCode::kUsage, {.doing = "laying out " + std::to_string(grid.size()) + " steps",
                                  .got = "sigmas that do not fall from step to step, at a flow shift of " +
                                         std::to_string(shift_),
                                  .expected = "each sigma below the sigma before, in float32",
                                  .advice = "use a smaller flow shift, or another number of steps"});
}

std::vector<double> linspace(double start, double stop, int64_t count) {
  const double spacing = count > 1 ? (stop - start) / static_cast<double>(count - 1) : 0.0;
  std::vector<double> values(count);
  for (int64_t i = 0; i < count; ++i) values[i] = static_cast<double>(i) * spacing + start;
  if (count > 1) values.back() = stop;
  return values;
}

}  // namespace t2v
