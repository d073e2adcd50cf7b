#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sampling/names/cache_options.h"
#include "tensors/tensor.h"

namespace t2v {

/// The steps that one model of a clip makes: of `total`, those from `first` on, `count` of them.
struct StepSpan {
  int64_t first, count, total;
};

/// Skips steps that would change what a model adds to its input but little: they add what the last computed
/// one added. For one model and one clip; decided once a step, for all prompts.
class StepCache {
 public:
  /// Null for the mode kNone.
  static std::unique_ptr<StepCache> make(const StepCacheOptions& options, StepSpan span);
  virtual ~StepCache() = default;

  /// What it goes around: the blocks of the model, or the model, latents -> noise_pred.
  enum class Around { kBlocks, kModel };
  virtual Around around() const { return Around::kBlocks; }

  /// The result of `compute` for `input`, or in a skipped step input plus the residual of the last computed
  /// one. `prompt`: from 0, in the same order in each step. temb: empty around the model.
  Tensor run(size_t prompt, const Tensor& input, const Tensor& temb, const std::function<Tensor()>& compute);

  int64_t skipped() const { return skipped_; }
  /// What calibration found, for the log; empty: nothing.
  virtual std::string found() const { return ""; }

 protected:
  StepCache(const StepCacheOptions& options, StepSpan span) : options_(options), span_(span) {}

  const StepCacheOptions& options() const { return options_; }
  const StepSpan& span() const { return span_; }
  int64_t step() const { return step_; }  ///< of this model, from 0
  /// Whether the estimate allows this step to be skipped. `free`: it is none of the first or last.
  virtual bool may_skip(const Tensor& input, const Tensor& temb, bool free) = 0;
  /// Called with what the first prompt's computation gave; the residual before it is still there.
  virtual void computed(const Tensor& /*input*/, const Tensor& /*output*/, const Tensor& /*residual*/) {}
  /// Of the first prompt, of the last computed step; undefined before.
  Tensor residual() const { return residuals_.empty() ? Tensor() : residuals_[0]; }

 private:
  StepCacheOptions options_;
  StepSpan span_;
  int64_t step_ = -1, skipped_ = 0;
  bool skips_ = false;
  std::vector<Tensor> residuals_;  // of each prompt
};

}  // namespace t2v
