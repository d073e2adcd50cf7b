#include "api/engine.h"
#include "media/video_reader.h"

namespace t2v {

extern "C" void t2v_engine_clip_comment(const std::filesystem::path& clip, std::string& comment) {
  comment = VideoReader(clip).info().comment;
}

}  // namespace t2v
