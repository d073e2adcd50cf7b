#include "text/prompt_clean.h"

#include <algorithm>
#include <array>

#include "core/text.h"
#include "t2v/error.h"
#include "text/html_entities.h"
#include "text/unicode.h"

namespace t2v {
namespace {

struct Ligature {
  char32_t character;
  std::string_view letters;
};

/// ftfy's LIGATURES, sorted: those that are seldom meant, unlike "æ".
constexpr Ligature kLigatures[] = {
    {0x0132, "IJ"},      {0x0133, "ij"}, {0x0149, "\u02BCn"}, {0x01C4, "D\u017D"}, {0x01C5, "D\u017E"},
    {0x01C6, "d\u017E"}, {0x01C7, "LJ"}, {0x01C8, "Lj"},      {0x01C9, "lj"},      {0x01CA, "NJ"},
    {0x01CB, "Nj"},      {0x01CC, "nj"}, {0x01F1, "DZ"},      {0x01F2, "Dz"},      {0x01F3, "dz"},
    {0xFB00, "ff"},      {0xFB01, "fi"}, {0xFB02, "fl"},      {0xFB03, "ffi"},     {0xFB04, "ffl"},
    {0xFB05, "\u017Ft"}, {0xFB06, "st"},
};

const Ligature* find_ligature(char32_t value) {
  const Ligature* found =
      std::lower_bound(std::begin(kLigatures), std::end(kLigatures), value,
                       [](const Ligature& ligature, char32_t v) { return ligature.character < v; });
  return found != std::end(kLigatures) && found->character == value ? found : nullptr;
}

bool is_single_quote(char32_t value) { return value == 0x02BC || (value >= 0x2018 && value <= 0x201B); }
bool is_double_quote(char32_t value) { return value >= 0x201C && value <= 0x201F; }
bool is_line_break(char32_t value) { return value == '\r' || value == 0x2028 || value == 0x2029; }

/// ftfy's CONTROL_CHARS: those without a visible effect.
bool is_dropped_control(char32_t value) {
  return value <= 0x08 || value == 0x0B || (value >= 0x0E && value <= 0x1F) || value == 0x7F ||
         (value >= 0x206A && value <= 0x206F) || value == 0xFEFF || (value >= 0xFFF9 && value <= 0xFFFC);
}

/// C1 controls, ligatures, half and full widths, quotes and line breaks: what depends on one character alone.
std::string with_plain_characters(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  const auto append = [&result](char32_t value) {
    if (is_single_quote(value)) {
      result += '\'';
    } else if (is_double_quote(value)) {
      result += '"';
    } else if (is_line_break(value)) {
      result += '\n';
    } else {
      append_utf8(value, &result);
    }
  };
  const auto append_all = [&append](std::string_view characters) {
    for (; !characters.empty(); characters.remove_prefix(first_code_point(characters).size)) {
      append(first_code_point(characters).value);
    }
  };
  while (!text.empty()) {
    if (text.starts_with("\r\n")) text.remove_prefix(1);
    const CodePoint character = first_code_point(text);
    const char32_t value = windows_1252(character.value);
    if (const Ligature* ligature = find_ligature(value)) {
      append_all(ligature->letters);
    } else if (value == 0x3000) {
      append(' ');
    } else if (value >= 0xFF01 && value <= 0xFFEF) {
      append_all(normalized(text.substr(0, character.size), /*compatibility=*/true));
    } else {
      append(value);
    }
    text.remove_prefix(character.size);
  }
  return result;
}

/// The length of the terminal escape that `text` starts with, ESC [ digits and semicolons, letter; 0 if there
/// is none.
size_t terminal_escape(std::string_view text) {
  if (!text.starts_with("\033[")) return 0;
  for (size_t at = 2; at < text.size();) {
    const CodePoint character = first_code_point(text.substr(at));
    const char32_t lower = character.value | 0x20;
    if (lower >= 'a' && lower <= 'z') return at + 1;
    if (character.value != ';' && !is_digit(character.value)) return 0;
    at += character.size;
  }
  return 0;
}

std::string without_terminal_escapes(std::string_view text) {
  std::string result;
  for (size_t at = text.find('\033'); at != std::string_view::npos; at = text.find('\033')) {
    result += text.substr(0, at);
    text.remove_prefix(at);
    const size_t escape = terminal_escape(text);
    if (escape == 0) result += text.front();
    text.remove_prefix(std::max<size_t>(escape, 1));
  }
  result += text;
  return result;
}

std::string without_control_characters(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const CodePoint character = first_code_point(text);
    if (!is_dropped_control(character.value)) result += text.substr(0, character.size);
    text.remove_prefix(character.size);
  }
  return result;
}

bool is_plain_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= 0x20 && c <= 0x7E) || c == '\n'; });
}

/// One line as ftfy's fix_and_explain: its steps in their order until nothing changes. The first round leaves
/// no terminal escape, and then the order of replacements makes no difference: nested entities, which would
/// take a round for each level, are replaced at once.
std::string fixed_line(std::string text, bool unescape) {
  for (bool nested = false;; nested = true) {
    std::string next = unescape ? unescape_html_strictly(text, nested) : text;
    // Only the first step has work on plain text.
    if (!is_plain_ascii(next)) {
      next = without_control_characters(without_terminal_escapes(with_plain_characters(next)));
      next = normalized(next, /*compatibility=*/false);
    }
    if (next == text) return text;
    text = std::move(next);
  }
}

/// ftfy's fix_text: line by line; from the first line with a "<" on, entities stay because the text may be
/// HTML.
std::string fixed_text(std::string_view text) {
  std::string result;
  bool unescape = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    unescape = unescape && line.find('<') == std::string_view::npos;
    result += fixed_line(std::string(line), unescape);
    text.remove_prefix(end);
  }
  return result;
}

/// Runs of white space become one space; none at either end.
std::string with_single_spaces(std::string_view text) {
  std::string result;
  bool pending = false;
  while (!text.empty()) {
    const CodePoint character = first_code_point(text);
    if (is_white_space(character.value)) {
      pending = !result.empty();
    } else {
      if (pending) result += ' ';
      pending = false;
      result += text.substr(0, character.size);
    }
    text.remove_prefix(character.size);
  }
  return result;
}

}  // namespace

std::string prompt_clean(std::string_view text) {
  if (!is_valid_utf8(text)) {
    throw Error(ErrorCode::kUsage,
                {.doing = "reading the prompt", .got = "bytes that are not UTF-8", .expected = "UTF-8 text"});
  }
  return with_single_spaces(unescape_html(unescape_html(fixed_text(text))));
}

}  // namespace t2v
