#include "sampling/schedulers/dpmsolver_multistep.h"

#include <cmath>
#include <utility>

namespace t2v {
DPMSolverMultistepScheduler::DPMSolverMultistepScheduler(const Config& config,
                                                         const SchedulerOverrides& overrides)
    : Scheduler(at::kLong),
      flow_sigmas_(config, overrides, SamplerKind::kDpm),
      solver_order_(config.integer("solver_order", 2, 1, 2)),
      // The reference takes "midpoint" for the names of other solvers.
      heun_(config.text("solver_type", "midpoint") == "heun") {
  // A config of another class gets the defaults of a flow-matching model.
  const bool own = config.text("_class_name", "") == "DPMSolverMultistepScheduler";
  const auto require = [&](const char* key, const char* of_class, const char* word) {
    if (config.text(key, own ? of_class : word) != word) config.fail(key, word);
  };
  require("prediction_type", "epsilon", "flow_prediction");
  require("algorithm_type", "dpmsolver++", "dpmsolver++");
  require("final_sigmas_type", "zero", "zero");
  if (!config.boolean("use_flow_sigmas", !own)) config.fail("use_flow_sigmas", "true");
  for (const char* key : {"thresholding", "use_lu_lambdas"}) {
    if (config.boolean(key, false)) config.fail(key, "false: it is not supported");
  }
}

void DPMSolverMultistepScheduler::lay_out(int64_t num_inference_steps) {
  const auto train_timesteps = static_cast<double>(flow_sigmas_.num_train_timesteps());
  std::vector<double> grid = flow_sigmas_.overrides();
  if (grid.empty()) grid = flow_sigmas_.legacy_grid(num_inference_steps);
  std::vector<double> sigmas = flow_sigmas_.shifted<double>(grid);
  std::vector<double> timesteps;
  for (const double sigma : sigmas) timesteps.push_back(std::trunc(sigma * train_timesteps));
  sigmas = flow_sigmas_.to_float32(std::move(sigmas));
  sigmas.push_back(0.0);
  start(std::move(timesteps), std::move(sigmas));
  last_clean_.reset();
}

Tensor DPMSolverMultistepScheduler::take_step(int64_t i, const Tensor& model_output, const Tensor& sample,
                                              const std::optional<at::Generator>& /*generator*/) {
  const Tensor clean = sample - sigma(i) * model_output;
  const std::optional<Tensor> last_clean = std::exchange(last_clean_, clean);

  const Tensor alpha_t = 1 - sigma(i + 1);
  const Tensor lambda_s = half_log_snr(sigma(i));
  const Tensor h = half_log_snr(sigma(i + 1)) - lambda_s;
  const Tensor decay = at::exp(-h) - 1;
  const Tensor first_order = sigma(i + 1) / sigma(i) * sample.to(at::kFloat) - alpha_t * decay * clean;
  // The step to the final sigma of 0 is infinite: only the first order has a result.
  if (solver_order_ == 1 || !last_clean || i + 1 == num_steps()) return first_order;

  const Tensor ratio = (lambda_s - half_log_snr(sigma(i - 1))) / h;
  const Tensor slope = 1 / ratio * (clean - *last_clean);
  return heun_ ? first_order + alpha_t * (decay / h + 1) * slope
               : first_order - 0.5 * (alpha_t * decay) * slope;
}

}  // namespace t2v
