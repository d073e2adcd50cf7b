#include "api/checks.h"
#include "api/engine_library.h"
#include "core/setting.h"
#include "engine/interface/output_options.h"
#include "engine/interface/preview_comment.h"
#include "media/formats/clip_files.h"
#include "media/formats/output_format.h"
#include "t2v/checker.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

void check_clip(const Outputs& outputs, const Encoding& encoding, const CheckedSize& size,
                std::set<std::filesystem::path>& writable_folders) {
  if (outputs.output.empty()) return;
  const std::filesystem::path folder = outputs.output.parent_path();
  OutputOptions options = output_options(size, encoding, outputs);
  options.folder_is_tried = writable_folders.contains(folder);
  check_output(outputs.output, options);
  if (!is_stream(outputs.output)) writable_folders.insert(folder);
}

void check_latents(const Outputs& outputs, int64_t num_frames) {
  if (outputs.save_latents.empty()) return;
  if (is_of_clip(outputs.output, num_frames, outputs.save_latents)) {
    usage_error(setting("save_latents"), "the name of the clip", "another name", "add .safetensors to it");
  }
  check_file("save_latents", outputs.save_latents, outputs.overwrite);
}

void check_preview(const Outputs& outputs) {
  if (outputs.preview.empty()) return;
  const std::string doing = setting("preview", outputs.preview.string());
  if (is_stream(outputs.preview)) usage_error(doing, "a stream", "a file, which each preview replaces");
  if (output_container(outputs.preview, "preview") == Container::kPngSequence)
    usage_error(doing, "numbered files", "one file that moves, such as .gif or .mp4");
  for (const std::filesystem::path& other : {outputs.output, outputs.save_latents}) {
    if (outputs.preview == other) usage_error(doing, "the name of another output", "a name of its own");
  }
  const int64_t interval = outputs.preview_interval;
  if (interval < kPreviewIntervals.smallest || interval > kPreviewIntervals.largest)
    usage_error(setting("preview_interval"), std::to_string(interval), "1 to 1000");
  check_file("preview", outputs.preview, outputs.overwrite || is_own_preview(outputs));
}

}  // namespace

void check_outputs(const Outputs& outputs, const Encoding& encoding, const CheckedSize& size,
                   std::set<std::filesystem::path>& writable_folders) {
  check_clip(outputs, encoding, size, writable_folders);
  check_latents(outputs, size.num_frames);
  check_preview(outputs);
}

bool is_own_preview(const Outputs& outputs) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(outputs.preview, ignored)) return false;
  std::string comment;
  try {
    comment = engine().clips.comment(outputs.preview);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) throw;
  }
  return comment == preview_comment(outputs.output);
}

}  // namespace t2v
