#include "api/check_preview.h"

#include "api/engine_library.h"
#include "engine/interface/engine.h"
#include "engine/interface/preview_comment.h"
#include "media/output_format.h"
#include "t2v/checker.h"
#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {

void check_preview(const GenerateRequest& request) {
  if (request.preview.empty()) return;
  const auto refuse = [](const std::string& flag, const std::string& got, const std::string& expected) {
    throw Error(ErrorCode::kUsage, {.doing = flag, .got = got, .expected = expected});
  };
  const std::string flag = "--preview " + request.preview.string();
  if (is_stream(request.preview)) refuse(flag, "a stream", "a file, which each preview replaces");
  if (output_container(request.preview, "--preview") == Container::kPngSequence)
    refuse(flag, "numbered files", "one file that moves, such as .gif or .mp4");
  for (const std::filesystem::path& other : {request.output, request.save_latents}) {
    if (request.preview == other) refuse(flag, "the name of another output", "a name of its own");
  }
  const int64_t interval = request.preview_interval;
  if (interval < kPreviewIntervals.smallest || interval > kPreviewIntervals.largest)
    refuse("--preview-interval", std::to_string(interval), "1 to 1000");
  check_file("--preview", request.preview, request.overwrite || is_own_preview(request));
}

bool is_own_preview(const GenerateRequest& request) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(request.preview, ignored)) return false;
  std::string comment;
  try {
    engine_entry<decltype(t2v_engine_clip_comment)>(kEngineClipComment)(request.preview, comment);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) throw;
  }
  return comment == preview_comment(request);
}

}  // namespace t2v
