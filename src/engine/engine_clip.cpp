#include "engine/interface/engine.h"
#include "media/video_reader.h"

namespace t2v {

extern "C" void t2v_engine_clip_comment(const std::filesystem::path& clip, std::string& comment) {
  comment = VideoReader(clip).info().comment;
}

extern "C" void t2v_engine_count_frames(const std::filesystem::path& clip, int64_t& count) {
  VideoReader reader(clip);
  int64_t frames = 0;
  while (reader.next()) ++frames;
  count = frames;
}

extern "C" void t2v_engine_count_packets(const std::filesystem::path& clip, int64_t& count) {
  count = VideoReader(clip).count_rest();
}

}  // namespace t2v
