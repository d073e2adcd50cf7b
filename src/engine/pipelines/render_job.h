#pragma once

#include <cstdint>
#include <functional>

#include "engine/pipelines/model_store.h"
#include "engine/pipelines/visual_inputs.h"
#include "files/checkpoints/checkpoint.h"
#include "media/images/frames.h"
#include "t2v/checked_request.h"
#include "tensors/tensor.h"

namespace t2v {

/// Everything that decides a clip.
struct RenderJob {
  Checkpoint checkpoint;
  Placement placement;  ///< of text encoder and transformers; the others compute in float32
  CheckedRequest request;
  VisualInputs inputs;      ///< those that the request names
  ComingClips coming = {};  ///< what follows
  /// Called at the end of each step, if not empty. `make`: what the clip will show, as far as the model can
  /// tell by now; as preview_frames().
  std::function<void(int64_t done, int64_t total, const std::function<Frames()>& make)> on_preview = {};
};

}  // namespace t2v
