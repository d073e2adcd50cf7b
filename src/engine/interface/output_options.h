#pragma once

#include "media/formats/output_format.h"
#include "t2v/checked_request.h"

namespace t2v {

/// The encoding of a clip, and the files that it may replace.
inline OutputOptions output_options(const CheckedSize& size, const Encoding& encoding,
                                    const Outputs& outputs) {
  return {.quality = encoding.quality,
          .crf = encoding.crf,
          .codec = encoding.codec,
          .pix_fmt = encoding.pix_fmt,
          .fps = size.fps,
          .overwrite = outputs.overwrite,
          .frame_count = size.num_frames,
          .settings_file = outputs.metadata};
}

}  // namespace t2v
