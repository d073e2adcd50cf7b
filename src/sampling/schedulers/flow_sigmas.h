#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config.h"
#include "sampling/names/samplers.h"
#include "sampling/schedulers/scheduler.h"

namespace t2v {

/// The part that all flow-matching schedulers share: a grid of noise levels, shifted towards noise.
class FlowSigmas {
 public:
  /// Reads scheduler_config.json on behalf of `sampler`. Error as make_scheduler.
  FlowSigmas(const Config& config, const SchedulerOverrides& overrides, SamplerKind sampler);

  int64_t num_train_timesteps() const { return num_train_timesteps_; }
  double shift() const { return shift_; }
  /// The grid of the user, which replaces the sampler's own; may be empty.
  const std::vector<double>& overrides() const { return overrides_; }

  /// The grid, before the shift, of UniPC up to diffusers 0.36 and in the original code of models, and of
  /// DPM++.
  std::vector<double> legacy_grid(int64_t num_inference_steps) const;
  /// The grid shifted, and stretched to end at `shift_terminal` if the config has one. It computes in
  /// Real, as numpy does for an array of that type.
  template <typename Real>
  std::vector<double> shifted(const std::vector<double>& grid) const;
  /// The grid in float32. Error (kUsage) for a grid that does not fall from step to step inside [0, 1]: it
  /// has too many steps or too much shift.
  std::vector<double> to_float32(std::vector<double> grid) const;

 private:
  int64_t num_train_timesteps_;
  double shift_;
  double shift_terminal_;  ///< 0: none
  std::vector<double> overrides_;
};

/// `count` evenly spaced values from `start` to `stop`, both included, rounded as numpy.linspace rounds them.
std::vector<double> linspace(double start, double stop, int64_t count);

/// log(alpha / sigma): half of the log signal-to-noise ratio, the unit of the steps of UniPC and DPM++.
inline Tensor half_log_snr(const Tensor& sigma) { return at::log(1 - sigma) - at::log(sigma); }

/// shift * sigma / (1 + (shift - 1) * sigma), each operation in Real.
template <typename Real>
Real shift_sigma(double shift, Real sigma) {
  return Real(shift) * sigma / (Real(1) + Real(shift - 1) * sigma);
}

}  // namespace t2v
