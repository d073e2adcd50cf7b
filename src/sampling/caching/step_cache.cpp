#include "sampling/caching/step_cache.h"

#include <cmath>
#include <utility>
#include <vector>

namespace t2v {
namespace {

double mean_of(const Tensor& values) { return values.to(at::kFloat).abs().mean().item<double>(); }

double mean_difference(const Tensor& a, const Tensor& b) {
  return mean_of(a.to(at::kFloat) - b.to(at::kFloat));
}

/// Adds up estimates. At the threshold it refuses one and starts again from 0.
class Budget {
 public:
  explicit Budget(double threshold) : threshold_(threshold) {}
  bool takes(double estimate) {
    spent_ += estimate;
    if (spent_ < threshold_) return true;
    spent_ = 0;
    return false;
  }
  void reset() { spent_ = 0; }

 private:
  double threshold_, spent_ = 0;
};

/// Estimates the change of the output from the change of the time embedding, by a polynomial fitted for the
/// model. (TeaCache, arXiv 2411.19108, without the ret_steps of its code.)
class TeaCache final : public StepCache {
 public:
  TeaCache(const StepCacheOptions& options, StepSpan span)
      : StepCache(options, span), budget_(options.threshold) {}

 private:
  bool may_skip(const Tensor& /*input*/, const Tensor& temb, bool free) override {
    const Tensor before = std::exchange(temb_, temb);
    if (!free || !before.defined()) {
      budget_.reset();
      return false;
    }
    const double change = mean_difference(temb, before) / mean_of(before);
    double estimate = 0;
    for (const double coefficient : options().coefficients) estimate = estimate * change + coefficient;
    return budget_.takes(estimate);
  }

  Budget budget_;
  Tensor temb_;
};

/// Estimates the error from a table of the model: the growth of the residual in each step is nearly the same
/// for all prompts. (MagCache, arXiv 2506.09045; diffusers hooks/mag_cache.py.)
class MagCache final : public StepCache {
 public:
  MagCache(const StepCacheOptions& options, StepSpan span) : StepCache(options, span) {}

  std::string found() const override {
    if (measured_.empty()) return "";
    std::string text = "`cache_option` ratios=";
    for (size_t i = 0; i < measured_.size(); ++i)
      text.append(i == 0 ? "" : ",").append(std::to_string(measured_[i]));
    return text;
  }

 private:
  bool may_skip(const Tensor& /*input*/, const Tensor& /*temb*/, bool free) override {
    if (!free || options().calibrate) return false;
    product_ *= ratio();
    error_ += std::abs(1 - product_);
    ++in_a_row_;
    if (residual().defined() && error_ <= options().threshold && in_a_row_ <= options().max_skip) return true;
    product_ = 1;
    error_ = 0;
    in_a_row_ = 0;
    return false;
  }

  void computed(const Tensor& /*input*/, const Tensor& /*output*/, const Tensor& added) override {
    if (!options().calibrate) return;
    double ratio = 1;
    if (residual().defined()) {
      const auto size = [](const Tensor& x) { return at::linalg_vector_norm(x.to(at::kFloat), 2, -1); };
      ratio = (size(added) / (size(residual()) + 1e-8)).mean().item<double>();
    }
    measured_.push_back(ratio);
  }

  /// The ratio of this step in the table; the nearest one in a table for another number of steps.
  double ratio() const {
    const auto length = static_cast<double>(options().ratios.size());
    const auto steps = static_cast<double>(span().total);
    const auto at = static_cast<double>(span().first + step());
    // Rounds half to even, as torch.round. A single step has the last ratio.
    const double index = steps > 1 ? std::nearbyint(at * (length - 1) / (steps - 1)) : length - 1;
    return options().ratios[static_cast<size_t>(index)];
  }

  double product_ = 1, error_ = 0;
  int64_t in_a_row_ = 0;
  std::vector<double> measured_;
};

/// Estimates the change of the output from the change of the input, by their ratio in the last computed
/// steps. (EasyCache, arXiv 2507.02860.)
class EasyCache final : public StepCache {
 public:
  EasyCache(const StepCacheOptions& options, StepSpan span)
      : StepCache(options, span), budget_(options.threshold) {}
  Around around() const override { return Around::kModel; }

 private:
  bool may_skip(const Tensor& input, const Tensor& /*temb*/, bool free) override {
    const Tensor before = std::exchange(input_, input);
    if (!free) budget_.reset();
    if (!free || !rate_) return false;
    return budget_.takes(*rate_ * mean_difference(input, before) / mean_of(output_));
  }

  void computed(const Tensor& input, const Tensor& output, const Tensor& /*added*/) override {
    if (output_.defined()) rate_ = mean_difference(output, output_) / mean_difference(input, computed_input_);
    computed_input_ = input;
    output_ = output;
  }

  Budget budget_;
  std::optional<double> rate_;
  Tensor input_;                    // of the step before
  Tensor computed_input_, output_;  // of the last computed step
};

}  // namespace

std::unique_ptr<StepCache> StepCache::make(const StepCacheOptions& options, StepSpan span) {
  switch (options.mode) {
    case CacheMode::kNone:
      return nullptr;
    case CacheMode::kTeaCache:
      return std::make_unique<TeaCache>(options, span);
    case CacheMode::kMagCache:
      return std::make_unique<MagCache>(options, span);
    case CacheMode::kEasyCache:
      return std::make_unique<EasyCache>(options, span);
  }
  return nullptr;
}

Tensor StepCache::run(size_t prompt, const Tensor& input, const Tensor& temb,
                      const std::function<Tensor()>& compute) {
  if (prompt == 0) {
    ++step_;
    const bool free = step_ >= options_.first && step_ < span_.count - options_.last;
    skips_ = may_skip(input, temb, free) && residual().defined();
    skipped_ += skips_ ? 1 : 0;
  }
  if (skips_) return input + residuals_.at(prompt);
  const Tensor output = compute();
  const Tensor added = output - input;
  if (prompt == 0) computed(input, output, added);
  if (prompt >= residuals_.size()) residuals_.resize(prompt + 1);
  residuals_[prompt] = added;
  return output;
}

}  // namespace t2v
