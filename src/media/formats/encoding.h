#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "media/formats/output_format.h"

namespace t2v {

/// How the frames of a clip are encoded.
struct ChosenEncoding {
  std::string codec;                ///< the name of a codec in media/formats.h
  std::string pix_fmt;              ///< in libav's words: "yuv420p", "bgr0"
  std::string quality = "good";     ///< one of quality_names()
  std::optional<int64_t> crf = {};  ///< for a codec with this scale
  bool lossless = false;            ///< the pixels that are read back equal the pixels that were written
};

/// The encoding that the options choose for this output. Error (kUsage): quality, codec, pix_fmt or crf are
/// unknown or do not go together, or the container cannot hold the frame rate.
ChosenEncoding choose_encoding(const std::filesystem::path& output, const OutputOptions& options);

}  // namespace t2v
