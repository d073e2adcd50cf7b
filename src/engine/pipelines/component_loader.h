#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "core/config.h"
#include "engine/pipelines/model_store.h"
#include "engine/pipelines/render_job.h"
#include "engine/pipelines/run_progress.h"
#include "tensors/weights/block_plan.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// Loads the components of a job's checkpoint, each at most once.
class ComponentLoader {
 public:
  /// All three have to outlive this.
  ComponentLoader(const RenderJob& job, ModelStore& models, const RunProgress& progress)
      : job_(job), models_(models), progress_(progress) {}

  /// The model of a component: the one that the store keeps, or the one that `make` builds from the weights.
  /// `variant` names the kind of model, if `make` can build several kinds from the same weights.
  template <typename Model>
  std::shared_ptr<const Model> load(const std::string& component, const LoadOptions& options,
                                    const std::function<std::shared_ptr<const Model>(const Weights&)>& make,
                                    const std::string& variant = "") const {
    return models_.get<Model>(component, cache_key(component, options) + variant, [&] {
      const Weights weights = open(component, options);
      auto model = make(weights);
      weights.expect_all_used();
      return model;
    });
  }

  /// Opens the weights of a component, and reports that it is being loaded.
  Weights open(const std::string& component, LoadOptions options) const;
  /// A key of the files and the options of a component.
  std::string cache_key(const std::string& component, const LoadOptions& options) const;
  /// Reads the files of a component into memory, in a thread of its own. Nothing for a kept model.
  std::future<void> prefetch(const std::string& component) const;

  Config config(const std::string& component) const { return job_.checkpoint.get(component).config; }
  /// Options for components that compute in float32: the VAE, the image encoder.
  LoadOptions float32_options() const;
  /// Options for a transformer: the request's numbers, and the LoRAs for this component.
  LoadOptions transformer_options(const std::string& component, std::vector<std::string> keep_in_fp32) const;
  /// The blocks of a transformer that stay on the device. `prefixes`: as of StreamedMemory; `bytes_beside`:
  /// bytes on the device beside the weights of the working transformer; called for a GPU alone.
  BlockResidency transformer_blocks(const std::string& component, const LoadOptions& options,
                                    const std::vector<std::string>& prefixes,
                                    const std::function<uint64_t()>& bytes_beside) const;

  ModelStore& models() const { return models_; }

 private:
  const RenderJob& job_;
  ModelStore& models_;
  const RunProgress& progress_;
};

}  // namespace t2v
