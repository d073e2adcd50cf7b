#include "api/engine.h"
#include "api/engine_library.h"
#include "media/output_format.h"
#include "t2v/checker.h"
#include "t2v/error.h"
#include "t2v/inspect.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// How many frames can be read of a file; -1 if it is damaged.
int64_t count_frames(const fs::path& file) {
  const auto engine_count_frames =
      engine_entry<decltype(t2v_engine_count_frames)>(kEngineCountFrames, "looking at " + file.string());
  int64_t count = -1;
  try {
    engine_count_frames(file, count);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) throw;
  }
  return count;
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
  wanted.overwrite = true;
  wanted = check(wanted);
  if (is_stream(wanted.output)) return std::nullopt;
  const bool sequence = output_container(wanted.output) == Container::kPngSequence;
  const int64_t files = sequence ? *wanted.num_frames : 1, frames_each = sequence ? 1 : *wanted.num_frames;
  const auto file = [&](int64_t number) {
    return sequence ? SequenceNames(wanted.output, files).frame(number) : wanted.output;
  };
  std::error_code ignored;
  for (int64_t number = 1; number <= files; ++number) {
    if (!fs::is_regular_file(file(number), ignored)) return std::nullopt;
  }
  for (int64_t number = 1; number <= files; ++number) {
    if (count_frames(file(number)) != frames_each) return std::nullopt;
  }
  return GenerateResult{file(1), settings_or_none(settings_file(wanted))};
}

}  // namespace t2v
