#include "sheet_and_preview.h"

#include <unistd.h>

#include <algorithm>

#include "cli/screen/streams.h"
#include "cli/screen/terminal_picture.h"
#include "media/formats/clip_files.h"
#include "t2v/limits.h"
#include "usage_error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr int kMostColumns = 80;

/// Whether a clip with this name can be read after it was written.
bool is_kept(const fs::path& output) {
  std::error_code ignored;
  const fs::file_status status = fs::status(output, ignored);
  return output != "-" && !fs::is_fifo(status) && !fs::is_character_file(status);
}

void check_sheet_flag(const GenerateArguments& arguments) {
  const GenerateRequest& request = arguments.request;
  const std::string doing = "--sheet " + arguments.sheet.string();
  // With --skip-existing the sheet may exist, if its clip does.
  check_sheet(arguments.sheet, request.outputs.overwrite || arguments.skip_existing);
  if (!is_kept(request.outputs.output))
    refuse(doing, "a clip that is not kept", "--output with the name of a file");
  if (arguments.sheet == request.outputs.save_latents || arguments.sheet == request.outputs.preview ||
      is_of_clip(request.outputs.output, request.size.num_frames.value_or(kFrameCounts.largest),
                 arguments.sheet)) {
    refuse(doing, "the name of another file of this clip", "a name of its own");
  }
}

}  // namespace

void check_sheet_and_preview(const Invocation& invocation, const GenerateArguments& arguments) {
  if (!arguments.sheet.empty()) check_sheet_flag(arguments);
  if (!arguments.request.outputs.shows_previews) return;
  const bool shows = is_terminal(STDERR_FILENO) && picture_protocol() != PictureProtocol::kNone;
  if (shows && invocation.progress != "json") return;
  refuse("--preview terminal",
         shows ? "--progress json" : "standard error, which is not known to show pictures",
         "kitty, Ghostty, iTerm2 or WezTerm", "use --preview FILE.mp4");
}

void write_sheet_of(const std::vector<SheetClip>& clips, const fs::path& sheet, bool overwrite) {
  try {
    write_sheet(clips, sheet, overwrite);
  } catch (const Error& error) {
    const std::string written = clips.size() == 1 ? clips[0].clip.string() + " is" : "the clips are";
    throw Error(error.code(), {.doing = written + " written, but no contact sheet: " + error.what()});
  }
}

std::function<void(const std::string&)> preview_in_terminal(const GenerateArguments& arguments,
                                                            Progress& progress) {
  if (!arguments.request.outputs.shows_previews) return {};
  return [&progress](const std::string& png) {
    const int columns = std::clamp(terminal_width(STDERR_FILENO) - 1, 1, kMostColumns);
    progress.log(picture_sequence(picture_protocol(), png, columns));
  };
}

}  // namespace t2v
