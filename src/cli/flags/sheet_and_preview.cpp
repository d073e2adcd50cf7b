#include "sheet_and_preview.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "cli/screen/streams.h"
#include "media/formats/clip_files.h"
#include "t2v/checker.h"
#include "t2v/limits.h"
#include "usage_error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// How a terminal receives pictures.
enum class PictureProtocol {
  kNone,
  kKitty,  ///< https://sw.kovidgoyal.net/kitty/graphics-protocol/
  kIterm,  ///< https://iterm2.com/documentation-images.html
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string to_base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t k = i; k < i + 3; ++k)
      bits = bits << 8 | (k < bytes.size() ? static_cast<uint8_t>(bytes[k]) : 0U);
    for (int shift = 18; shift >= 0; shift -= 6) text += kDigits[bits >> shift & 63U];
  }
  const size_t padding = (3 - bytes.size() % 3) % 3;
  text.replace(text.size() - padding, padding, padding, '=');
  return text;
}

/// Pieces of at most 4096 characters; each piece but the last says that more follow.
std::string kitty_sequence(const std::string& base64, int columns) {
  constexpr size_t kPiece = 4096;
  std::string text;
  for (size_t begin = 0; begin < base64.size(); begin += kPiece) {
    const bool more = begin + kPiece < base64.size();
    // a=T: show the picture at once; f=100: it is a PNG; q=2: the terminal does not answer.
    text += begin == 0 ? "\033_Ga=T,f=100,q=2,c=" + std::to_string(columns) + "," : "\033_G";
    text += std::string("m=") + (more ? "1" : "0") + ";" + base64.substr(begin, kPiece) + "\033\\";
  }
  return text;
}

/// The protocol of the terminal, by the variables TERM, TERM_PROGRAM, LC_TERMINAL and KITTY_WINDOW_ID. kNone
/// inside tmux and screen, which do not pass pictures on.
PictureProtocol picture_protocol() {
  const std::string terminal = variable("TERM"), program = variable("TERM_PROGRAM");
  if (terminal.starts_with("tmux") || terminal.starts_with("screen")) return PictureProtocol::kNone;
  if (terminal == "xterm-kitty" || terminal == "xterm-ghostty" || program == "ghostty" ||
      !variable("KITTY_WINDOW_ID").empty()) {
    return PictureProtocol::kKitty;
  }
  const bool iterm = program == "iTerm.app" || program == "WezTerm" || variable("LC_TERMINAL") == "iTerm2";
  return iterm ? PictureProtocol::kIterm : PictureProtocol::kNone;
}

/// The characters that make the terminal show a PNG picture at the cursor, `columns` characters wide. The
/// protocol may not be kNone.
std::string picture_sequence(PictureProtocol protocol, std::string_view png, int columns) {
  const std::string base64 = to_base64(png);
  if (protocol == PictureProtocol::kKitty) return kitty_sequence(base64, columns);
  return "\033]1337;File=inline=1;size=" + std::to_string(png.size()) + ";width=" + std::to_string(columns) +
         ":" + base64 + "\a";
}

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
