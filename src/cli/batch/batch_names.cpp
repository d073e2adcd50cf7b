#include "batch_names.h"

#include <algorithm>

#include "cli/flags/usage_error.h"
#include "core/text.h"

namespace t2v {
namespace {

constexpr size_t kLongestName = 180;  // bytes
constexpr size_t kWidest = 20;
constexpr const char* kPrompt = "prompt";
constexpr const char* kWords = "words";  // of the prompt

/// Bytes of the control character that begins at `at`; 0 for none.
size_t control_size(const std::string& text, size_t at) {
  const unsigned char first = static_cast<unsigned char>(text[at]);
  if (first < 0x20 || first == 0x7F) return 1;
  const bool high = first == 0xC2 && at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) < 0xA0;
  return high ? 2 : 0;
}

/// The words of `text` joined by "-", for use in a shell without quotes. Every ASCII character but letters
/// and digits separates words.
std::string words_of(const std::string& text) {
  std::string words;
  bool separated = false;
  for (const unsigned char letter : text) {
    const bool kept = letter >= 0x80 || (letter >= '0' && letter <= '9') ||
                      (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
    if (kept && separated && !words.empty()) words += '-';
    if (kept) words += static_cast<char>(letter);
    separated = !kept;
  }
  return words.empty() ? "_" : words;
}

/// `text` with an underscore in place of each character that a file name may not have.
std::string as_name(const std::string& text) {
  std::string name;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t control = control_size(text, i);
    name += control > 0 || text[i] == '/' ? '_' : text[i];
    i += control > 0 ? control - 1 : 0;
  }
  return name;
}

/// Cuts `text` to at most `size` bytes, whole characters, and no separator at its end.
void cut(std::string& text, size_t size, char separator) {
  if (text.size() <= size) return;
  text.resize(size);
  while (!is_valid_utf8(text)) text.pop_back();
  while (text.ends_with(separator)) text.pop_back();
  if (text.empty()) text.push_back('_');
}

}  // namespace

NameTemplate::NameTemplate(const std::string& text, const std::string& where) : where_(where) {
  const auto refuse = [&](const std::string& expected) { t2v::refuse(where, '"' + text + '"', expected); };
  for (size_t i = 0; i < text.size(); ++i) {
    const bool brace = text[i] == '{' || text[i] == '}';
    const bool twice = brace && text.substr(i + 1, 1) == text.substr(i, 1);
    if (!brace || twice) {
      if (pieces_.empty() || pieces_.back().field) pieces_.emplace_back();
      pieces_.back().text += text[i];
      i += twice ? 1 : 0;
      continue;
    }
    const size_t end = text.find('}', i);
    if (text[i] == '}' || end == std::string::npos)
      refuse("a field in braces, such as {index:04}, or {{ and }}");
    add_field(text.substr(i + 1, end - i - 1));
    i = end;
  }
  if (text.find('/') != std::string::npos) refuse("the name of a file, without folders");
  const bool ends = !pieces_.empty() && !pieces_.back().field;
  if (!ends || pieces_.back().text.find('.') == std::string::npos)
    refuse("a name that ends in .mp4 or the like");
}

void NameTemplate::add_field(const std::string& text) {
  const size_t colon = std::min(text.find(':'), text.size());
  Piece piece{.field = true, .text = text.substr(0, colon)};
  const std::string width = text.substr(std::min(colon + 1, text.size()));
  const bool digits = width.size() <= 3 && width.find_first_not_of("0123456789") == std::string::npos;
  if (digits && !width.empty()) piece.width = static_cast<size_t>(std::stoi(width));
  if (piece.text.empty() || !digits || (colon < text.size() && width.empty()) || piece.width > kWidest) {
    refuse(where_, '{' + text + '}', "a field such as {prompt}, or {index:04} with a width");
  }
  pieces_.push_back(std::move(piece));
}

std::string NameTemplate::literal(const std::string& name) {
  std::string text;
  for (const char letter : name) text.append(letter == '{' || letter == '}' ? 2 : 1, letter);
  return text;
}

bool NameTemplate::has_fields() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.field; });
}

std::string NameTemplate::expand(const Piece& piece,
                                 const std::function<std::string(const std::string&)>& value_of) const {
  if (!piece.field) return as_name(piece.text);
  std::string value = piece.text == kWords ? words_of(value_of(kPrompt)) : value_of(piece.text);
  const bool number = value.find_first_not_of("0123456789") == std::string::npos;
  if (number && value.size() < piece.width) value.insert(0, piece.width - value.size(), '0');
  return as_name(value);
}

std::string NameTemplate::name(const std::function<std::string(const std::string&)>& value_of) const {
  const auto is_cut = [](const Piece& piece) {
    return piece.field && (piece.text == kPrompt || piece.text == kWords);
  };
  size_t taken = 0, prompts = 0;
  std::vector<std::string> parts;
  for (const Piece& piece : pieces_) {
    parts.push_back(expand(piece, value_of));
    is_cut(piece) ? ++prompts : taken += parts.back().size();
  }
  const size_t room = (kLongestName - std::min(taken, kLongestName)) / std::max<size_t>(prompts, 1);
  std::string name;
  for (size_t i = 0; i < pieces_.size(); ++i) {
    if (is_cut(pieces_[i])) cut(parts[i], room, pieces_[i].text == kWords ? '-' : ' ');
    name += parts[i];
  }
  if (name.starts_with('.') || name.starts_with('-')) name[0] = '_';
  // In the name of numbered pictures, % begins the pattern of the number.
  if (name.ends_with(".png")) std::replace(name.begin(), name.end(), '%', '_');
  if (name.size() > kLongestName) {
    refuse(where_, "a name of " + std::to_string(name.size()) + " bytes",
           "at most " + std::to_string(kLongestName));
  }
  return name;
}

}  // namespace t2v
