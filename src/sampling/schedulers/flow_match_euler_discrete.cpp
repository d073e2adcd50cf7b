#include "sampling/schedulers/flow_match_euler_discrete.h"

namespace t2v {

FlowMatchEulerDiscreteScheduler::FlowMatchEulerDiscreteScheduler(const Config& config,
                                                                 const SchedulerOverrides& overrides)
    : Scheduler(at::kFloat),
      flow_sigmas_(config, overrides, SamplerKind::kEuler),
      invert_sigmas_(config.boolean("invert_sigmas", false)) {}

std::vector<double> FlowMatchEulerDiscreteScheduler::shifted_sigmas(int64_t num_inference_steps) const {
  // The reference computes in float32 on a given grid, and in float64 on its own grid.
  if (!flow_sigmas_.overrides().empty()) return flow_sigmas_.shifted<float>(flow_sigmas_.overrides());
  const auto train_timesteps = static_cast<double>(flow_sigmas_.num_train_timesteps());
  const double largest = shift_sigma(flow_sigmas_.shift(), 1.0F);
  const double smallest = shift_sigma(flow_sigmas_.shift(), 1.0F / static_cast<float>(train_timesteps));
  std::vector<double> grid =
      linspace(largest * train_timesteps, smallest * train_timesteps, num_inference_steps);
  for (double& sigma : grid) sigma /= train_timesteps;
  return flow_sigmas_.shifted<double>(grid);
}

void FlowMatchEulerDiscreteScheduler::lay_out(int64_t num_inference_steps) {
  std::vector<double> sigmas = flow_sigmas_.to_float32(shifted_sigmas(num_inference_steps));
  std::vector<double> timesteps;
  for (double& sigma : sigmas) {
    if (invert_sigmas_) sigma = 1.0F - static_cast<float>(sigma);
    timesteps.push_back(static_cast<float>(sigma) * static_cast<float>(flow_sigmas_.num_train_timesteps()));
  }
  sigmas.push_back(invert_sigmas_ ? 1.0 : 0.0);
  start(std::move(timesteps), std::move(sigmas));
}

Tensor FlowMatchEulerDiscreteScheduler::take_step(int64_t i, const Tensor& model_output, const Tensor& sample,
                                                  const std::optional<at::Generator>& /*generator*/) {
  // The product is rounded to the dtype of the model, the sum is computed in float32.
  const Tensor prev_sample = sample.to(at::kFloat) + (sigma(i + 1) - sigma(i)) * model_output;
  return prev_sample.to(model_output.scalar_type());
}

}  // namespace t2v
