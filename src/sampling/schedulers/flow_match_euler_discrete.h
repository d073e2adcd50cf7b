#pragma once

#include "sampling/schedulers/flow_sigmas.h"
#include "sampling/schedulers/scheduler.h"

namespace t2v {

/// The Euler method on flow-matching noise levels. Equals diffusers' FlowMatchEulerDiscreteScheduler: the
/// shift acts twice, on the ends of the training grid and on the grid between them (a grid given by the user
/// is shifted once), and the new sample has the dtype of the model's output.
class FlowMatchEulerDiscreteScheduler : public Scheduler {
 public:
  /// Error as make_scheduler.
  FlowMatchEulerDiscreteScheduler(const Config& config, const SchedulerOverrides& overrides);

 protected:
  Tensor take_step(int64_t i, const Tensor& model_output, const Tensor& sample,
                   const std::optional<at::Generator>& generator) override;

 private:
  void lay_out(int64_t num_inference_steps) override;
  /// The shifted noise levels.
  std::vector<double> shifted_sigmas(int64_t num_inference_steps) const;

  FlowSigmas flow_sigmas_;
  bool invert_sigmas_;
};

}  // namespace t2v
