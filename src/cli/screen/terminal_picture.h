#pragma once

#include <string>
#include <string_view>

namespace t2v {

/// How a terminal receives pictures.
enum class PictureProtocol {
  kNone,
  kKitty,  ///< https://sw.kovidgoyal.net/kitty/graphics-protocol/
  kIterm,  ///< https://iterm2.com/documentation-images.html
};

/// The protocol of the terminal, by the variables TERM, TERM_PROGRAM, LC_TERMINAL and KITTY_WINDOW_ID. kNone
/// inside tmux and screen, which do not pass pictures on.
PictureProtocol picture_protocol();

/// The characters that make the terminal show a PNG picture at the cursor, `columns` characters wide. The
/// protocol may not be kNone.
std::string picture_sequence(PictureProtocol protocol, std::string_view png, int columns);

}  // namespace t2v
