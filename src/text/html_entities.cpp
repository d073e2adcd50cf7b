#include "text/html_entities.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

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

}  // namespace

char32_t windows_1252(char32_t value) {
  static constexpr std::array<char32_t, 32> kTable = {
      0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  return value >= 0x80 && value <= 0x9F ? kTable[value - 0x80] : value;
}

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

}  // namespace t2v
