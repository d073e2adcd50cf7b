#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/pipelines/cost_model.h"
#include "engine/pipelines/model_store.h"
#include "engine/pipelines/render_job.h"
#include "engine/pipelines/video_pipeline.h"

namespace t2v {

/// The part of a model family that computes.
struct FamilyPipelines {
  std::string_view family;      ///< the family's name
  int64_t max_sequence_length;  ///< tokens of a prompt; the rest is left out
  std::unique_ptr<VideoPipeline> (*make_pipeline)(RenderJob job, ModelStore& models,
                                                  const RunControl& control);
  std::unique_ptr<CostModel> (*make_cost_model)(const Checkpoint& checkpoint, const CheckedRequest& request,
                                                Placement placement);
  /// Constructs a network, as PartKind::network() calls it, with all layers that its files have. Error
  /// (kInput).
  void (*construct)(const std::string& network, const Config& config, const Weights& weights);
  /// Parts of tensor names that stay float32 in a lower dtype: for LoadOptions::keep_in_fp32.
  std::vector<std::string> (*keep_in_fp32)(const std::string& network);
};

/// The entry of the checkpoint's family. Error (kBug) if it has none.
const FamilyPipelines& pipelines_of(const Checkpoint& checkpoint);

/// Begins a clip: makes the pipeline of the checkpoint's family. `models` and `control` have to outlive it.
std::unique_ptr<VideoPipeline> make_pipeline(RenderJob job, ModelStore& models, const RunControl& control);

/// The cost model of the checkpoint's family. Checkpoint and request have to outlive it. Error (kInput).
std::unique_ptr<CostModel> make_cost_model(const Checkpoint& checkpoint, const CheckedRequest& request,
                                           Placement placement);

/// For tests: adds a family as long as this lives.
class RegisteredPipelines {
 public:
  explicit RegisteredPipelines(const FamilyPipelines& pipelines);
  RegisteredPipelines(const RegisteredPipelines&) = delete;
  RegisteredPipelines& operator=(const RegisteredPipelines&) = delete;
  ~RegisteredPipelines();
};

}  // namespace t2v
