#pragma once

#include <filesystem>
#include <string>

#include "engine/pipelines/video_pipeline.h"
#include "t2v/generate.h"
#include "tensors/tensor.h"

namespace t2v {

/// What both ways to make a clip end with: decodes final latents, writes the clip with `settings` in it and
/// publishes it. Returns it, or of a sequence of files the first. Error, Stopped.
std::filesystem::path write_clip(const GenerateRequest& request, const std::string& settings,
                                 const Tensor& latents, VideoPipeline& pipeline, const RunControl& control);

/// Tells before the work whether this machine's FFmpeg can encode the clip. Error (kOutput, kUsage).
void expect_encoder(const GenerateRequest& request);

}  // namespace t2v
