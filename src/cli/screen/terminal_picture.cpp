#include "terminal_picture.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace t2v {
namespace {

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

}  // namespace

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

std::string picture_sequence(PictureProtocol protocol, std::string_view png, int columns) {
  const std::string base64 = to_base64(png);
  if (protocol == PictureProtocol::kKitty) return kitty_sequence(base64, columns);
  return "\033]1337;File=inline=1;size=" + std::to_string(png.size()) + ";width=" + std::to_string(columns) +
         ":" + base64 + "\a";
}

}  // namespace t2v
