#include "schedulers/scheduler.h"

#include "schedulers/flow_match_euler_discrete.h"
#include "schedulers/unipc_multistep.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

/// The class that is asked for: by the user, else by the config.
std::string class_name(const Config& config, const std::optional<std::string>& sampler) {
  if (!sampler) return config.text("_class_name", "");
  if (*sampler == "unipc") return UniPCMultistepScheduler::kClassName;
  if (*sampler == "euler") return FlowMatchEulerDiscreteScheduler::kClassName;
  throw Error(ErrorCode::kUsage,
              {.doing = "choosing the sampler", .got = *sampler, .expected = "unipc or euler"});
}

}  // namespace

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

int64_t Scheduler::next_step() {
  if (step_index_ >= num_steps()) {
    throw Error(ErrorCode::kBug, {.doing = "taking a sampling step",
                                  .got = "step " + std::to_string(step_index_ + 1),
                                  .expected = "at most " + std::to_string(num_steps())});
  }
  return step_index_++;
}

std::unique_ptr<Scheduler> make_scheduler(const Config& scheduler_config,
                                          const SchedulerOverrides& overrides) {
  const std::string name = class_name(scheduler_config, overrides.sampler);
  if (name == UniPCMultistepScheduler::kClassName) {
    return std::make_unique<UniPCMultistepScheduler>(scheduler_config, overrides);
  }
  if (name == FlowMatchEulerDiscreteScheduler::kClassName) {
    return std::make_unique<FlowMatchEulerDiscreteScheduler>(scheduler_config, overrides);
  }
  scheduler_config.fail("_class_name", std::string(UniPCMultistepScheduler::kClassName) + " or " +
                                           FlowMatchEulerDiscreteScheduler::kClassName);
}

}  // namespace t2v
