#pragma once

#include <string>
#include <string_view>

namespace t2v {

/// Cleans a prompt before the tokenizer, like diffusers' prompt_clean with ftfy 6.3.1. It normalises HTML
/// entities, Latin ligatures, full-width and half-width forms, curly quotes, line breaks, terminal escapes,
/// control characters and NFC, then entities twice more; then every run of white space becomes one space.
///
/// One step of ftfy is missing: the repair of text that was decoded with the wrong code page ("sÃ³" -> "só":
/// fix_encoding, with restore_byte_a0, replace_lossy_sequences and decode_inconsistent_utf8).
///
/// Error (kUsage) if `text` is not valid UTF-8.
std::string prompt_clean(std::string_view text);

}  // namespace t2v
