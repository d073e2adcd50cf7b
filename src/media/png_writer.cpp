#include "media/writers.h"
#include "t2v/error.h"

namespace t2v {

std::unique_ptr<VideoWriter> make_png_writer(const std::filesystem::path& output, const VideoSettings&) {
  throw Error(ErrorCode::kOutput,
              {.doing = "writing " + output.string(), .got = "a PNG sequence, not built yet"});
}

}  // namespace t2v
