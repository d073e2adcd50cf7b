#pragma once

#include <filesystem>
#include <string>

#include "engine/pipelines/video_pipeline.h"
#include "t2v/checked_request.h"
#include "t2v/run.h"

namespace t2v {

/// Settings for writing a clip. The parts have to outlive it.
struct ClipFile {
  const CheckedSize& size;
  const Encoding& encoding;
  const Outputs& outputs;
  std::string settings;  ///< JSON, recorded in the clip
};
/// The clip of a CheckedRequest or of a DecodeTask.
template <typename Request>
ClipFile clip_file(const Request& request, const std::string& settings) {
  return {request.size, request.encoding, request.outputs, settings};
}

/// Decodes final latents, hands the frames to RunControl::on_frames, writes the clip and publishes it.
/// Returns its path; of a sequence of files, the path of the first; "" without an output. Error, Stopped.
std::filesystem::path write_clip(const ClipFile& clip, const Latents& latents, VideoPipeline& pipeline,
                                 const RunControl& control);

/// Checks, before any work, that FFmpeg on this machine can encode the clip. Error (kOutput, kUsage).
void expect_encoder(const ClipFile& clip);

}  // namespace t2v
