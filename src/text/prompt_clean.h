#pragma once

#include <string>
#include <string_view>

namespace t2v {

/// A prompt as the reference cleans it before the tokenizer (diffusers' prompt_clean with ftfy 6.3.1
/// installed): HTML entities, Latin ligatures, full-width and half-width forms, curly quotes, line breaks,
/// terminal escapes, control characters and NFC, then entities twice more, then every run of white space
/// becomes one space.
///
/// Left out: ftfy's guess that text was decoded with the wrong code page ("sÃ³" -> "só": its fix_encoding,
/// with restore_byte_a0, replace_lossy_sequences and decode_inconsistent_utf8). Text that does not look like
/// that is the same.
///
/// Error (kUsage) if `text` is not valid UTF-8.
std::string prompt_clean(std::string_view text);

}  // namespace t2v
