#include <algorithm>
#include <fstream>
#include <functional>
#include <string_view>
#include <vector>

#include "api/engine_library.h"
#include "media/formats/clip_files.h"
#include "media/formats/output_format.h"
#include "t2v/checker.h"
#include "t2v/error.h"
#include "t2v/inspect.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// The files of a clip, each with as many frames as the others.
struct ClipFiles {
  std::vector<fs::path> files;
  int64_t frames_each = 0;
};

ClipFiles files_of(const fs::path& output, int64_t count) {
  if (output_container(output) != Container::kPngSequence) return {{output}, count};
  const SequenceNames names(output, count);
  ClipFiles clip{{}, 1};
  for (int64_t number = 1; number <= count; ++number) clip.files.push_back(names.frame(number));
  return clip;
}

/// Whether all are there, and each is as `is_whole` wants it.
bool all_whole(const ClipFiles& clip, const std::function<bool(const fs::path& file)>& is_whole) {
  std::error_code ignored;
  const auto is_there = [&](const fs::path& file) { return fs::is_regular_file(file, ignored); };
  return std::all_of(clip.files.begin(), clip.files.end(), is_there) &&
         std::all_of(clip.files.begin(), clip.files.end(), is_whole);
}

/// The number that a function of the engine counts in a file; -1 if the file is damaged.
int64_t count_in(const fs::path& file, decltype(&ClipFunctions::count_frames) count) {
  const ClipFunctions& clips = engine("looking at " + file.string()).clips;
  try {
    return (clips.*count)(file);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) throw;
    return -1;
  }
}

bool ends_as_png(const fs::path& file) {
  constexpr std::string_view kEnd = "IEND\xAE\x42\x60\x82";
  std::string end(kEnd.size(), '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(-static_cast<std::streamoff>(end.size()), std::ios::end);
  stream.read(end.data(), static_cast<std::streamsize>(end.size()));
  return end == kEnd;
}

/// "{}" if none are in it, or not t2v's.
std::string settings_or_none(const fs::path& file) {
  try {
    return inspect(file).settings;
  } catch (const Error&) {
    return "{}";
  }
}

}  // namespace

std::optional<GenerateResult> find_rendered(const GenerateRequest& request) {
  GenerateRequest wanted = request;
  wanted.outputs.overwrite = true;
  return find_rendered(check(wanted));
}

std::optional<GenerateResult> find_rendered(const CheckedRequest& request) {
  const fs::path& output = request.outputs.output;
  if (output.empty() || is_stream(output)) return std::nullopt;
  const ClipFiles clip = files_of(output, request.size.num_frames);
  const bool whole = all_whole(clip, [&](const fs::path& file) {
    return count_in(file, &ClipFunctions::count_frames) == clip.frames_each;
  });
  if (!whole) return std::nullopt;
  return GenerateResult{clip.files[0], settings_or_none(settings_file(output))};
}

bool is_whole(const CheckedRequest& request) {
  const ClipFiles clip = files_of(request.outputs.output, request.size.num_frames);
  return all_whole(clip, [&](const fs::path& file) {
    return file.extension() == ".png" ? ends_as_png(file)
                                      : count_in(file, &ClipFunctions::count_packets) == clip.frames_each;
  });
}

}  // namespace t2v
