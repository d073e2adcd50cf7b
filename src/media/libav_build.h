#pragma once

#include <string>

namespace t2v {

/// The libraries of FFmpeg that this process uses: "libavcodec 59.37.100, libavformat 59.27.100, ...".
std::string libav_versions();

}  // namespace t2v
