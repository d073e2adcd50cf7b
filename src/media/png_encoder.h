#pragma once

#include <string>

#include "core/frames.h"
#include "media/libav.h"

namespace t2v {

/// Pictures of one size -> the bytes of .png files.
class PngEncoder {
 public:
  /// `doing` begins errors. Error (kOutput).
  PngEncoder(int64_t width, int64_t height, std::string doing);

  /// One picture, [height][width][3]. Error (kOutput).
  std::string encode(const uint8_t* rgb);

 private:
  std::string doing_;
  CodecPtr codec_;
  FramePtr frame_;
  PacketPtr packet_;
};

}  // namespace t2v
