#include "media/libav_build.h"

#include <cstdint>

#include "media/libav.h"

namespace t2v {

std::string libav_versions() {
  const auto described = [](const char* name, uint32_t version) {
    return std::string(name) + " " + std::to_string(AV_VERSION_MAJOR(version)) + "." +
           std::to_string(AV_VERSION_MINOR(version)) + "." + std::to_string(AV_VERSION_MICRO(version));
  };
  return described("libavcodec", avcodec_version()) + ", " + described("libavformat", avformat_version()) +
         ", " + described("libswscale", swscale_version());
}

}  // namespace t2v
