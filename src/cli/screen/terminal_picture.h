#pragma once

#include <string>
#include <string_view>

namespace t2v {

/// How a terminal takes pictures.
enum class PictureProtocol {
  kNone,
  kKitty,  ///< https://sw.kovidgoyal.net/kitty/graphics-protocol/
  kIterm,  ///< https://iterm2.com/documentation-images.html
};

/// What the terminal says of itself in the environment: TERM, TERM_PROGRAM, LC_TERMINAL, KITTY_WINDOW_ID.
/// kNone inside tmux and screen, which pass none of it on.
PictureProtocol picture_protocol();

/// What to write to the terminal so that it shows a PNG picture, `columns` characters wide, where the cursor
/// is. Not for kNone.
std::string picture_sequence(PictureProtocol protocol, std::string_view png, int columns);

}  // namespace t2v
