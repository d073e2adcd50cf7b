#include "sampling/schedulers/flow_match_lcm.h"

namespace t2v {

FlowMatchLCMScheduler::FlowMatchLCMScheduler(const Config& config, const SchedulerOverrides& overrides)
    : FlowMatchEulerDiscreteScheduler(config, overrides) {
  if (config.has("scale_factors"))
    config.fail("scale_factors", "null: steps at other sizes are not supported");
}

Tensor FlowMatchLCMScheduler::take_step(int64_t i, const Tensor& model_output, const Tensor& sample,
                                        const std::optional<at::Generator>& generator) {
  const Tensor clean = sample.to(at::kFloat) - sigma(i) * model_output;
  // The last step draws noise too, although it has no effect, as the reference does.
  const Tensor noise = at::randn(clean.sizes(), generator, at::kFloat).to(clean.device());
  const Tensor prev_sample = (1 - sigma(i + 1)) * clean + sigma(i + 1) * noise;
  return prev_sample.to(model_output.scalar_type());
}

}  // namespace t2v
