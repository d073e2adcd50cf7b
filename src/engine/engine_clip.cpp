#include "engine/clips/compare_files.h"
#include "engine/clips/sheet_output.h"
#include "engine/engine_functions.h"
#include "media/video_reader.h"

namespace t2v {

ClipFunctions clip_functions() {
  return {.comment = [](const std::filesystem::path& clip) { return VideoReader(clip).info().comment; },
          .count_frames =
              [](const std::filesystem::path& clip) {
                VideoReader reader(clip);
                int64_t count = 0;
                while (reader.next()) ++count;
                return count;
              },
          .count_packets = [](const std::filesystem::path& clip) { return VideoReader(clip).count_rest(); },
          .compare = compare_files,
          .write_sheet = write_contact_sheet,
          .write_poster = write_middle_frame};
}

}  // namespace t2v
