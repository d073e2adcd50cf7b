#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sampling/names/cache_options.h"
#include "tensors/tensor.h"

namespace t2v {

/// The steps of one model of a clip: `count` of the `total` steps, from step `first` on.
struct StepSpan {
  int64_t first, count, total;
};

/// Skips steps in which the residual of a model changes little. A skipped step adds the residual of the last
/// computed step. It serves one model and one clip, and decides once a step for all prompts.
class StepCache {
 public:
  /// Null for the mode kNone.
  static std::unique_ptr<StepCache> make(const StepCacheOptions& options, StepSpan span);
  virtual ~StepCache() = default;

  /// The function that it goes around: the blocks of the model, or the whole model.
  enum class Around { kBlocks, kModel };
  virtual Around around() const { return Around::kBlocks; }

  /// The result of `compute` for `input`; in a skipped step, input plus the residual of the last computed
  /// step. `prompt`: from 0, in the same order in each step. temb: empty around the model.
  Tensor run(size_t prompt, const Tensor& input, const Tensor& temb, const std::function<Tensor()>& compute);

  int64_t skipped() const { return skipped_; }
  /// The result of a calibration, for the log; may be empty.
  virtual std::string found() const { return ""; }

 protected:
  StepCache(const StepCacheOptions& options, StepSpan span) : options_(options), span_(span) {}

  const StepCacheOptions& options() const { return options_; }
  const StepSpan& span() const { return span_; }
  int64_t step() const { return step_; }  ///< step of this model, from 0
  /// Whether the estimate allows to skip this step. `free`: the step is not one of the first or last steps.
  virtual bool may_skip(const Tensor& input, const Tensor& temb, bool free) = 0;
  /// Called with the new result of the first prompt, before its residual is replaced.
  virtual void computed(const Tensor& /*input*/, const Tensor& /*output*/, const Tensor& /*residual*/) {}
  /// The residual of the first prompt in the last computed step; undefined before the first.
  Tensor residual() const { return residuals_.empty() ? Tensor() : residuals_[0]; }

 private:
  StepCacheOptions options_;
  StepSpan span_;
  int64_t step_ = -1, skipped_ = 0;
  bool skips_ = false;
  std::vector<Tensor> residuals_;  // of each prompt
};

}  // namespace t2v
