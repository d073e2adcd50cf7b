#include "text/prompt_clean.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "core/text.h"
#include "t2v/error.h"
#include "text/unicode.h"

namespace t2v {
namespace {

struct Entity {
  std::string_view name;
  std::string_view value;
  /// What the name in capitals stands for; empty: nothing.
  std::string_view value_in_capitals = {};
};

/// Stands for `value` in the column value_in_capitals.
constexpr std::string_view kSame = "=";

constexpr Entity kEntities[] = {
#include "text/html_entities.inc"
};

/// Longest name that html.unescape looks for, and that ftfy looks for.
constexpr size_t kLongestName = 32;
constexpr size_t kLongestStrictName = 24;

constexpr char32_t kReplacementCharacter = 0xFFFD;

const Entity* find_entity(std::string_view name) {
  const Entity* found =
      std::lower_bound(std::begin(kEntities), std::end(kEntities), name,
                       [](const Entity& entity, std::string_view n) { return entity.name < n; });
  return found != std::end(kEntities) && found->name == name ? found : nullptr;
}

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex_digit(char c) { return is_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool is_alphanumeric(char c) { return is_ascii_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// The character of code page 1252 at the position of a C1 control; other values are returned unchanged.
char32_t windows_1252(char32_t value) {
  static constexpr std::array<char32_t, 32> kTable = {
      0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  return value >= 0x80 && value <= 0x9F ? kTable[value - 0x80] : value;
}

/// The character that a numeric reference to `number` stands for; nothing for a control or a noncharacter.
std::optional<char32_t> referenced(char32_t number) {
  if (number == 0 || (number >= 0xD800 && number <= 0xDFFF) || number > 0x10FFFF)
    return kReplacementCharacter;
  if (number >= 0x80 && number <= 0x9F) return windows_1252(number);
  const bool control =
      number <= 0x08 || number == 0x0B || (number >= 0x0E && number <= 0x1F) || number == 0x7F;
  const bool noncharacter = (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFE) == 0xFFFE;
  if (control || noncharacter) return std::nullopt;
  return number;
}

/// Reads the reference "#123;" or "#x1F;" (the semicolon may be missing) that `text`, what follows an
/// ampersand, starts with; appends its character. Returns its length, or 0 if there is none.
size_t take_reference(std::string_view text, std::string* out) {
  const bool hex = text.size() > 1 && (text[1] == 'x' || text[1] == 'X');
  const size_t begin = hex ? 2 : 1;
  size_t end = begin;
  char32_t number = 0;
  for (; end < text.size() && (hex ? is_hex_digit(text[end]) : is_ascii_digit(text[end])); ++end) {
    const int digit = is_ascii_digit(text[end]) ? text[end] - '0' : (text[end] | 0x20) - 'a' + 10;
    // Past the last code point a larger number means the same.
    number = std::min<char32_t>(number * (hex ? 16 : 10) + static_cast<char32_t>(digit), 0x110000);
  }
  if (end == begin) return 0;
  if (const auto character = referenced(number)) append_utf8(*character, out);
  return end + (end < text.size() && text[end] == ';' ? 1 : 0);
}

/// The name that `text` starts with, as html.unescape sees it: at most 32 characters, then perhaps a
/// semicolon.
std::string_view candidate_name(std::string_view text) {
  size_t end = 0;
  for (size_t count = 0; end < text.size() && count < kLongestName; ++count) {
    if (std::string_view("\t\n\f <&#;").find(text[end]) != std::string_view::npos) break;
    end += first_code_point(text.substr(end)).size;
  }
  if (end == 0) return {};
  return text.substr(0, end + (end < text.size() && text[end] == ';' ? 1 : 0));
}

/// Reads the longest named entity that `text` starts with; as take_reference.
size_t take_entity(std::string_view text, std::string* out) {
  for (std::string_view name = candidate_name(text); name.size() > 1; name.remove_suffix(1)) {
    if (const Entity* entity = find_entity(name)) {
      *out += entity->value;
      return name.size();
    }
  }
  return 0;
}

/// Reads "name;" or "NAME;"; as take_reference.
size_t take_strict_entity(std::string_view text, std::string* out) {
  size_t end = 0;
  while (end < text.size() && end <= kLongestStrictName && is_alphanumeric(text[end])) ++end;
  if (end == 0 || end > kLongestStrictName || end == text.size() || text[end] != ';') return 0;
  std::string name(text.substr(0, end + 1));
  if (const Entity* entity = find_entity(name)) {
    *out += entity->value;
    return name.size();
  }
  const bool in_capitals =
      std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const Entity* entity = in_capitals ? find_entity(name) : nullptr;
  if (entity == nullptr || entity->value_in_capitals.empty()) return 0;
  *out += entity->value_in_capitals == kSame ? entity->value : entity->value_in_capitals;
  return name.size();
}

/// Reads "#123;" with at most 24 characters between ampersand and semicolon, "#" left out; as take_reference.
size_t take_strict_reference(std::string_view text, std::string* out) {
  std::string character;
  const size_t length = take_reference(text, &character);
  // A semicolon as the result looks to ftfy as if the reference had not been read.
  if (length == 0 || text[length - 1] != ';' || length > kLongestStrictName + 2 || character == ";") return 0;
  *out += character;
  return length;
}

/// If `text` ends in an entity that begins at or behind `from`, replaces it. Returns whether it did.
bool replace_at_end(std::string* text, size_t from) {
  constexpr size_t kLongest = kLongestStrictName + 3;  // with "&", "#" and ";"
  from = std::max(from, text->size() - std::min(text->size(), kLongest));
  const size_t ampersand = std::string_view(*text).substr(from).rfind('&');
  if (ampersand == std::string_view::npos || !text->ends_with(';')) return false;
  const std::string inside = text->substr(from + ampersand + 1);
  std::string value;
  const size_t read =
      inside.starts_with('#') ? take_strict_reference(inside, &value) : take_strict_entity(inside, &value);
  if (read != inside.size()) return false;
  text->replace(from + ampersand, std::string::npos, value);
  return true;
}

/// Replaces HTML entities and character references like Python's html.unescape. Where HTML allows it, a name
/// may lack its semicolon; the longest name that fits is taken.
std::string unescape_html(std::string_view text) {
  std::string result;
  for (size_t ampersand = text.find('&'); ampersand != std::string_view::npos; ampersand = text.find('&')) {
    result += text.substr(0, ampersand);
    text.remove_prefix(ampersand + 1);
    const size_t read = text.starts_with('#') ? take_reference(text, &result) : take_entity(text, &result);
    if (read == 0) result += '&';
    text.remove_prefix(read);
  }
  result += text;
  return result;
}

/// Replaces them like ftfy: only names with a semicolon, and lower-case names also in capitals. With `nested`
/// it repeats until no entity is left ("&amp;amp;lt;").
std::string unescape_html_strictly(std::string_view text, bool nested) {
  std::string result;
  size_t from = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(';'), text.size() - 1) + 1;
    result += text.substr(0, end);
    text.remove_prefix(end);
    while (replace_at_end(&result, from)) {
      if (!nested) from = result.size();
    }
  }
  return result;
}

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
