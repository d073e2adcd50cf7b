#pragma once

#include "media/output_format.h"
#include "t2v/generate.h"

namespace t2v {

/// How a request has its clip encoded and what that may replace; its length and rate are known.
inline OutputOptions output_options(const GenerateRequest& request) {
  return {.quality = request.quality,
          .crf = request.crf,
          .codec = request.codec,
          .pix_fmt = request.pix_fmt,
          .fps = *request.fps,
          .overwrite = request.overwrite,
          .frame_count = *request.num_frames,
          .settings_file = request.metadata};
}

}  // namespace t2v
