#include "sheet_and_preview.h"

#include <unistd.h>

#include <algorithm>

#include "cli/screen/streams.h"
#include "cli/screen/terminal_picture.h"
#include "t2v/checker.h"
#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr int kMostColumns = 80;

/// Whether a clip of that name can be read again.
bool is_kept(const fs::path& output) {
  std::error_code ignored;
  const fs::file_status status = fs::status(output, ignored);
  return output != "-" && !fs::is_fifo(status) && !fs::is_character_file(status);
}

}  // namespace

void check_look(const Invocation& invocation, const GenerateArguments& arguments) {
  const GenerateRequest& request = arguments.request;
  if (!arguments.sheet.empty()) {
    const auto refuse = [&](const std::string& got, const std::string& expected) {
      throw Error(ErrorCode::kUsage,
                  {.doing = "--sheet " + arguments.sheet.string(), .got = got, .expected = expected});
    };
    // With --skip-existing it may be there, if its clip is.
    check_sheet(arguments.sheet, request.outputs.overwrite || arguments.skip_existing);
    if (!is_kept(request.outputs.output))
      refuse("a clip that is not kept", "--output with the name of a file");
    if (arguments.sheet == request.outputs.save_latents || arguments.sheet == request.outputs.preview ||
        is_of_clip(request.outputs.output, request.size.num_frames.value_or(kFrameCounts.largest),
                   arguments.sheet)) {
      refuse("the name of another file of this clip", "a name of its own");
    }
  }
  if (!arguments.request.outputs.shows_previews) return;
  const bool shows = is_terminal(STDERR_FILENO) && picture_protocol() != PictureProtocol::kNone;
  if (shows && invocation.progress != "json") return;
  throw Error(
      ErrorCode::kUsage,
      {.doing = "--preview terminal",
       .got = shows ? "--progress json" : "standard error on something that is not known to show pictures",
       .expected = "kitty, Ghostty, iTerm2 or WezTerm",
       .advice = "use --preview FILE.mp4"});
}

void make_sheet(const std::vector<SheetClip>& clips, const fs::path& sheet, bool overwrite) {
  try {
    write_sheet(clips, sheet, overwrite);
  } catch (const Error& error) {
    const std::string what = clips.size() == 1 ? clips[0].clip.string() + " is" : "the clips are";
    throw Error(error.code(), {.doing = what + " written, but no contact sheet: " + error.what()});
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
