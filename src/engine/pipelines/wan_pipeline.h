#pragma once

#include "engine/pipelines/video_pipeline.h"

namespace t2v {

/// Text to video, as diffusers' WanPipeline computes it.
class WanPipeline final : public VideoPipeline {
 public:
  WanPipeline(RenderJob job, ModelStore& models, const RunControl& control)
      : VideoPipeline(std::move(job), models, control) {}

  Tensor sample() override;
};

}  // namespace t2v
