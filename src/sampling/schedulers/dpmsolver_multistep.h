#pragma once

#include <optional>
#include <vector>

#include "sampling/schedulers/flow_sigmas.h"
#include "sampling/schedulers/scheduler.h"

namespace t2v {

/// DPM-Solver++ (arXiv 2211.01095) of order 1 or 2 on flow-matching noise levels. Equals diffusers'
/// DPMSolverMultistepScheduler with algorithm_type "dpmsolver++", prediction_type "flow_prediction" and a
/// final sigma of 0; samples stay float32 whatever dtype the model computes in.
class DPMSolverMultistepScheduler final : public Scheduler {
 public:
  /// Error as make_scheduler.
  DPMSolverMultistepScheduler(const Config& config, const SchedulerOverrides& overrides);

 private:
  void lay_out(int64_t num_inference_steps) override;
  Tensor take_step(int64_t i, const Tensor& model_output, const Tensor& sample,
                   const std::optional<at::Generator>& generator) override;

  FlowSigmas flow_sigmas_;
  int64_t solver_order_;
  bool heun_;
  std::optional<Tensor> last_clean_;  ///< the clean sample that the last step predicted
};

}  // namespace t2v
