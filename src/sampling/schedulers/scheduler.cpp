#include "sampling/schedulers/scheduler.h"

#include "sampling/names/samplers.h"
#include "sampling/schedulers/dpmsolver_multistep.h"
#include "sampling/schedulers/flow_match_euler_discrete.h"
#include "sampling/schedulers/flow_match_lcm.h"
#include "sampling/schedulers/unipc_multistep.h"
#include "t2v/limits.h"

namespace t2v {

Tensor Scheduler::timestep(int64_t index) const {
  return at::full({1}, timesteps_.at(index), timestep_dtype_);
}

void Scheduler::set_timesteps(int64_t num_inference_steps) {
  if (num_inference_steps < kStepCounts.smallest || num_inference_steps > kStepCounts.largest) {
    throw Error(ErrorCode::kUsage, {.doing = "setting the number of steps",
                                    .got = std::to_string(num_inference_steps),
                                    .expected = "1 to " + std::to_string(kStepCounts.largest)});
  }
  lay_out(num_inference_steps);
}

void Scheduler::start(std::vector<double> timesteps, std::vector<double> sigmas) {
  timesteps_ = std::move(timesteps);
  sigmas_ = std::move(sigmas);
  step_index_ = 0;
}

Tensor Scheduler::step(const Tensor& model_output, const Tensor& sample,
                       const std::optional<at::Generator>& generator) {
  if (step_index_ >= num_steps()) {
    throw Error(ErrorCode::kBug, {.doing = "taking a sampling step",
                                  .got = "step " + std::to_string(step_index_ + 1),
                                  .expected = "at most " + std::to_string(num_steps())});
  }
  return take_step(step_index_++, model_output, sample, generator);
}

std::unique_ptr<Scheduler> make_scheduler(const Config& config, const SchedulerOverrides& overrides) {
  const Sampler& sampler = overrides.sampler ? sampler_named(*overrides.sampler) : sampler_of(config);
  switch (sampler.kind) {
    case SamplerKind::kUniPC:
      return std::make_unique<UniPCMultistepScheduler>(config, overrides);
    case SamplerKind::kEuler:
      return std::make_unique<FlowMatchEulerDiscreteScheduler>(config, overrides);
    case SamplerKind::kLcm:
      return std::make_unique<FlowMatchLCMScheduler>(config, overrides);
    case SamplerKind::kDpm:
      return std::make_unique<DPMSolverMultistepScheduler>(config, overrides);
  }
  return nullptr;
}

}  // namespace t2v
