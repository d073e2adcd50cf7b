#include "files/hub/repository.h"

#include <algorithm>

#include "core/text.h"

namespace t2v {
namespace {

constexpr size_t kLongestName = 96;  // as the Hub's
constexpr size_t kLongestPath = 1024;
constexpr size_t kLongestFileName = 255;  // that filesystems take

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool holds_only(const std::string& text, const char* others) {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return is_letter_or_digit(c) || (c != '\0' && std::string(others).find(c) != std::string::npos);
  });
}

bool is_hex(const std::string& text) {
  return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// "--" would make two repositories one folder of the cache; the Hub has no such name either.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= kLongestName && holds_only(text, "-._") && text.front() != '.' &&
         text.front() != '-' && text.find("--") == std::string::npos && text.find("..") == std::string::npos;
}

bool is_revision(const std::string& text) {
  return !text.empty() && text.front() != '-' && text.size() <= kLongestPath && holds_only(text, "-._/+") &&
         is_safe_path(text);
}

}  // namespace

std::optional<Repository> parse_repository(const std::string& text) {
  Repository repository;
  const size_t at = text.find('@');
  repository.id = text.substr(0, at);
  if (at != std::string::npos) repository.revision = text.substr(at + 1);
  const size_t slash = repository.id.find('/');
  if (slash == std::string::npos || !is_name(repository.id.substr(0, slash)) ||
      !is_name(repository.id.substr(slash + 1)) || !is_revision(repository.revision)) {
    return std::nullopt;
  }
  return repository;
}

bool is_commit(const std::string& text) { return text.size() == 40 && is_hex(text); }

bool is_blob_hash(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) && is_hex(text);
}

bool is_safe_path(const std::string& path) {
  if (path.empty() || path.size() > kLongestPath || escape_for_display(path) != path ||
      path.find('\\') != std::string::npos) {
    return false;
  }
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string part = path.substr(begin, end - begin);
    if (part.empty() || part.size() > kLongestFileName || part == "." || part == "..") return false;
    begin = end + 1;
  }
  return true;
}

std::string percent_encode(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (holds_only(std::string(1, c), "-._~")) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

}  // namespace t2v
