#include "sampling/schedulers/unipc_multistep.h"

#include <algorithm>
#include <cmath>

namespace t2v {
namespace {

/// Index of the value of `key` in `words`. Error (kInput) for another value.
size_t read_word(const Config& config, const std::string& key, const std::string& fallback,
                 const std::vector<std::string>& words) {
  const std::string word = config.text(key, fallback);
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) {
    std::string expected = words[0];
    for (size_t i = 1; i < words.size(); ++i) expected += " or " + words[i];
    config.fail(key, expected);
  }
  return static_cast<size_t>(found - words.begin());
}

/// Weights of the differences in an update over hh, which make it exact for polynomials through the points at
/// `ratios` of the way (equations 9 and 10 of the paper). b_h: B(h) in the paper.
Tensor difference_weights(const std::vector<Tensor>& ratios, const Tensor& hh, const Tensor& b_h) {
  // For a single point the reference takes 1/2, the limit of the solution.
  if (ratios.size() == 1) return at::full({1}, 0.5, at::kFloat);
  const Tensor points = at::stack(ratios);
  std::vector<Tensor> powers, right_side;
  Tensor phi = at::expm1(hh) / hh - 1;
  double factorial = 1;
  for (size_t k = 1; k <= ratios.size(); ++k) {
    powers.push_back(at::pow(points, static_cast<int64_t>(k) - 1));
    right_side.push_back(phi * factorial / b_h);
    factorial *= static_cast<double>(k) + 1;
    phi = phi / hh - 1 / factorial;
  }
  return at::linalg_solve(at::stack(powers), at::stack(right_side));
}

}  // namespace

UniPCMultistepScheduler::UniPCMultistepScheduler(const Config& config, const SchedulerOverrides& overrides)
    : Scheduler(at::kLong),
      flow_sigmas_(config, overrides, SamplerKind::kUniPC),
      legacy_flow_sigmas_(overrides.legacy_flow_sigmas),
      final_sigma_zero_(read_word(config, "final_sigmas_type", "zero", {"zero", "sigma_min"}) == 0),
      // The reference reads the three names of DPM-Solver as bh2.
      bh1_(read_word(config, "solver_type", "bh2", {"bh1", "bh2", "midpoint", "heun", "logrho"}) == 0),
      lower_order_final_(config.boolean("lower_order_final", true)),
      solver_order_(config.integer("solver_order", 2, 1, 3)),
      disable_corrector_(config.integers("disable_corrector", {})) {
  // A config of another class has no values for these two keys; defaults of the own class are for other
  // models.
  const bool own = config.text("_class_name", "") == "UniPCMultistepScheduler";
  read_word(config, "prediction_type", own ? "epsilon" : "flow_prediction", {"flow_prediction"});
  if (!config.boolean("use_flow_sigmas", !own)) config.fail("use_flow_sigmas", "true");
  if (!config.boolean("predict_x0", true)) config.fail("predict_x0", "true");
  if (config.boolean("thresholding", false)) config.fail("thresholding", "false: it is not supported");
  if (config.has("solver_p"))
    config.fail("solver_p", "null: another scheduler as predictor is not supported");
}

std::vector<double> UniPCMultistepScheduler::grid(int64_t num_inference_steps) const {
  if (!flow_sigmas_.overrides().empty()) return flow_sigmas_.overrides();
  if (legacy_flow_sigmas_) return flow_sigmas_.legacy_grid(num_inference_steps);
  const double smallest = 1.0 / static_cast<double>(flow_sigmas_.num_train_timesteps());
  std::vector<double> sigmas = linspace(1.0, smallest, num_inference_steps + 1);
  sigmas.pop_back();
  return sigmas;
}

void UniPCMultistepScheduler::lay_out(int64_t num_inference_steps) {
  std::vector<double> sigmas = flow_sigmas_.shifted<double>(grid(num_inference_steps));
  // At sigma 1 half_log_snr is infinite; the reference subtracts this number.
  constexpr double kBelowOne = 1e-6;
  if (std::abs(sigmas[0] - 1) < kBelowOne) sigmas[0] -= kBelowOne;

  std::vector<double> timesteps;
  for (const double sigma : sigmas) {
    timesteps.push_back(std::trunc(sigma * static_cast<double>(flow_sigmas_.num_train_timesteps())));
  }
  sigmas = flow_sigmas_.to_float32(std::move(sigmas));
  sigmas.push_back(final_sigma_zero_ ? 0.0 : sigmas.back());
  start(std::move(timesteps), std::move(sigmas));
  clean_predictions_.clear();
}

bool UniPCMultistepScheduler::corrects_after(int64_t step) const {
  return std::find(disable_corrector_.begin(), disable_corrector_.end(), step) == disable_corrector_.end();
}

Tensor UniPCMultistepScheduler::take_step(int64_t i, const Tensor& model_output, const Tensor& sample,
                                          const std::optional<at::Generator>& /*generator*/) {
  // In this order of operations, because sigma * model_output rounds to the dtype of the model.
  const Tensor clean = sample - sigma(i) * model_output;
  last_sample_ = i > 0 && corrects_after(i - 1) ? update(last_sample_, i - 1, &clean) : sample;

  clean_predictions_.insert(clean_predictions_.begin(), clean);
  if (static_cast<int64_t>(clean_predictions_.size()) > solver_order_) clean_predictions_.pop_back();
  order_ = std::min(solver_order_, i + 1);
  if (lower_order_final_) order_ = std::min(order_, num_steps() - i);
  return update(last_sample_, i, nullptr);
}

Tensor UniPCMultistepScheduler::update(const Tensor& x, int64_t s0, const Tensor* clean_ahead) const {
  const Tensor sigma_t = sigma(s0 + 1);
  const Tensor alpha_t = 1 - sigma_t;
  const Tensor lambda_s0 = half_log_snr(sigma(s0));
  const Tensor h = half_log_snr(sigma_t) - lambda_s0;
  const Tensor hh = -h;
  const Tensor h_phi_1 = at::expm1(hh);
  const Tensor b_h = bh1_ ? hh : h_phi_1;

  // The other points of the polynomial, as shares of the way from s0 to s0 + 1, and the slope to each point.
  const Tensor& clean = clean_predictions_[0];
  std::vector<Tensor> ratios, differences;
  for (int64_t k = 1; k < order_; ++k) {
    ratios.push_back((half_log_snr(sigma(s0 - k)) - lambda_s0) / h);
    differences.push_back((clean_predictions_[k] - clean) / ratios.back());
  }
  if (clean_ahead != nullptr) {
    ratios.push_back(at::ones({}, at::kFloat));
    differences.push_back(*clean_ahead - clean);
  }

  const Tensor first_order = sigma_t / sigma(s0) * x - alpha_t * h_phi_1 * clean;
  if (differences.empty()) return first_order;
  const Tensor weights = difference_weights(ratios, hh, b_h);
  Tensor sum = weights[0] * differences[0];
  for (size_t k = 1; k < differences.size(); ++k)
    sum = sum + weights[static_cast<int64_t>(k)] * differences[k];
  return first_order - alpha_t * b_h * sum;
}

}  // namespace t2v
