#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "media/output_format.h"

namespace t2v {

/// How the frames of a clip are encoded.
struct ChosenEncoding {
  std::string codec;                ///< the name of a codec in media/formats.h
  std::string pix_fmt;              ///< in libav's words: "yuv420p", "bgr0"
  std::string quality = "good";     ///< one of quality_names()
  std::optional<int64_t> crf = {};  ///< for a codec that has this scale
  bool lossless = false;            ///< what is read back is what was written, bit for bit
};

/// What the options mean for this output. Error (kUsage): quality, codec, pix_fmt or crf that are unknown or
/// do not go together, or a rate that the container cannot hold.
ChosenEncoding choose_encoding(const std::filesystem::path& output, const OutputOptions& options);

}  // namespace t2v
