#pragma once

#include <vector>

#include "sampling/schedulers/flow_sigmas.h"
#include "sampling/schedulers/scheduler.h"

namespace t2v {

/// UniPC (arXiv 2302.04867) on flow-matching noise levels: x = (1 - sigma) * clean + sigma * noise. Equals
/// diffusers' UniPCMultistepScheduler with prediction_type "flow_prediction"; samples stay float32 whatever
/// dtype the model computes in. One difference: with solver_type "bh1" and a final sigma of 0 the reference's
/// last step is NaN (0 * infinity); here the step gives the predicted clean sample, as with "bh2".
class UniPCMultistepScheduler final : public Scheduler {
 public:
  /// Error as make_scheduler.
  UniPCMultistepScheduler(const Config& config, const SchedulerOverrides& overrides);

 private:
  Tensor take_step(int64_t i, const Tensor& model_output, const Tensor& sample,
                   const std::optional<at::Generator>& generator) override;
  void lay_out(int64_t num_inference_steps) override;
  /// The noise levels before the shift.
  std::vector<double> grid(int64_t num_inference_steps) const;
  bool corrects_after(int64_t step) const;
  /// Moves x from sigma index s0 to s0 + 1 with the stored predictions of the clean sample. With the
  /// prediction at s0 + 1 it is the corrector (UniC), without it the predictor (UniP).
  Tensor update(const Tensor& x, int64_t s0, const Tensor* clean_ahead) const;

  FlowSigmas flow_sigmas_;
  bool legacy_flow_sigmas_;
  bool final_sigma_zero_;
  bool bh1_;
  bool lower_order_final_;
  int64_t solver_order_;
  std::vector<int64_t> disable_corrector_;

  std::vector<Tensor> clean_predictions_;  ///< newest first, at most solver_order_
  Tensor last_sample_;                     ///< start of the last predictor
  int64_t order_ = 0;                      ///< order of the last predictor
};

}  // namespace t2v
