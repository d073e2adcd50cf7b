#pragma once

#include "sampling/schedulers/flow_match_euler_discrete.h"

namespace t2v {

/// The sampler of step-distilled models: each step predicts the clean sample and adds new noise up to the
/// next level, on the noise levels of the Euler method. Equals diffusers' FlowMatchLCMScheduler without scale
/// factors, and FlowMatchEulerDiscreteScheduler with stochastic_sampling.
class FlowMatchLCMScheduler final : public FlowMatchEulerDiscreteScheduler {
 public:
  /// Error as make_scheduler.
  FlowMatchLCMScheduler(const Config& config, const SchedulerOverrides& overrides);

 private:
  Tensor take_step(int64_t i, const Tensor& model_output, const Tensor& sample,
                   const std::optional<at::Generator>& generator) override;
};

}  // namespace t2v
