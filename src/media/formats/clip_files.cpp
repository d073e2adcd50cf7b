#include "media/formats/clip_files.h"

#include "media/formats/output_format.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

bool is_sequence(const fs::path& output) { return output_container(output) == Container::kPngSequence; }

fs::path full_path(const fs::path& path) {
  std::error_code ignored;
  return fs::absolute(path, ignored).lexically_normal();
}

}  // namespace

fs::path first_file(const fs::path& output, int64_t num_frames) {
  return is_sequence(output) ? SequenceNames(output, num_frames).frame(1) : output;
}

fs::path settings_file(const fs::path& output) {
  return is_sequence(output) ? SequenceNames(output, 1).settings() : output;
}

bool is_of_clip(const fs::path& output, int64_t num_frames, const fs::path& file) {
  const fs::path wanted = full_path(file);
  if (file.empty() || output.empty() || is_stream(output)) return false;
  if (wanted == full_path(output)) return true;
  if (!is_sequence(output)) return false;
  const SequenceNames names(full_path(output), num_frames);
  if (wanted == names.settings()) return true;
  for (int64_t number = 1; names.numbered() && number <= num_frames; ++number) {
    if (wanted == names.frame(number)) return true;
  }
  return false;
}

}  // namespace t2v
