#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/pipelines/component_loader.h"
#include "engine/pipelines/latents.h"
#include "engine/pipelines/render_job.h"
#include "engine/pipelines/run_progress.h"
#include "sampling/caching/step_cache.h"
#include "sampling/schedulers/scheduler.h"
#include "tensors/around_blocks.h"

namespace t2v {

/// One of the predictions that guidance combines in a step.
struct GuidancePass {
  size_t index = 0;          ///< from 0
  AroundBlocks around = {};  ///< goes around the blocks of the network
};

/// A loaded network: latents of every kind and timestep [1] -> noise_pred of every kind.
using NoisePredictor =
    std::function<Latents(const Latents& latents, const Tensor& timestep, const GuidancePass& pass)>;

/// The networks that denoise a clip, and how their predictions are combined.
struct Denoiser {
  /// The component that computes the step at a timestep.
  std::function<std::string(double timestep)> component_at;
  /// Loads a component. The predictor of the component before is released first.
  std::function<NoisePredictor(const std::string& component)> load;
  size_t passes = 1;  ///< of guidance, in each step
  /// Combines the predictions of all passes of a step.
  std::function<Latents(const std::vector<Latents>& noise_preds, const std::string& component)> guide;
  /// Called after the prediction of each step. `denoised` computes the clip without noise, as this step
  /// predicts it. May be empty.
  std::function<void(int64_t done, int64_t total, const std::function<Latents()>& denoised)> on_step = {};
};

/// Takes latents from noise to the clip, step by step.
class DenoisingLoop {
 public:
  /// All three have to outlive this.
  DenoisingLoop(const RenderJob& job, const ComponentLoader& loader, const RunProgress& progress)
      : job_(job), loader_(loader), progress_(progress) {}

  /// `noise` is the source of noise for samplers that add some. Returns the latents after the last step.
  /// Error (kInput, kUsage, kResource); Stopped.
  Latents run(Latents latents, const at::Generator& noise, const Denoiser& denoiser);

  /// The steps of run() that were not computed; empty without step caching.
  std::optional<int64_t> skipped_steps() const { return skipped_steps_; }

 private:
  using Schedulers = std::map<std::string, std::unique_ptr<Scheduler>>;

  /// One for each kind of latents: a scheduler remembers predictions. All have the same steps.
  Schedulers make_schedulers(const Latents& latents) const;
  /// Starts to read the component of a coming step, if it is another component.
  std::future<void> prefetch_next(const std::vector<std::string>& components, int64_t step) const;
  std::vector<Latents> predict(const NoisePredictor& predictor, const Latents& latents,
                               const Tensor& timestep, size_t passes) const;
  /// Starts step caching for the component that begins with this step.
  void begin_caching(const std::vector<std::string>& components, int64_t step);
  void finish_caching();
  void log_skipped_steps() const;

  const RenderJob& job_;
  const ComponentLoader& loader_;
  const RunProgress& progress_;
  std::unique_ptr<StepCache> step_cache_;  ///< of the component at work
  std::optional<int64_t> skipped_steps_;
};

}  // namespace t2v
