#include "files/formats/foreign_format.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/text.h"

namespace t2v {
namespace {

using namespace std::string_view_literals;

/// What a format has at one place of every file.
struct Signature {
  size_t at;
  std::string_view bytes;
  std::string_view what;
};

constexpr std::array<Signature, 18> kSignatures = {{
    {0, "\x89PNG\r\n", "a PNG image"},
    {0, "\xFF\xD8\xFF", "a JPEG image"},
    {0, "GIF8", "a GIF image"},
    {8, "WEBP", "a WebP image"},
    {8, "AVI ", "a video (AVI)"},
    {4, "ftyp", "a video (MP4) or another clip of its kind"},
    {0, "\x1A\x45\xDF\xA3", "a video (Matroska or WebM)"},
    {0, "%PDF", "a PDF document"},
    {0, "PK\x05\x06", "an empty zip archive"},
    {0, "\x1F\x8B", "a gzip archive"},
    {0, "BZh", "a bzip2 archive"},
    {0, "\xFD\x37zXZ", "an xz archive"},
    {0, "\x28\xB5\x2F\xFD", "a zstd archive"},
    {0, "7z\xBC\xAF\x27\x1C", "a 7z archive"},
    {0, "Rar!", "a RAR archive"},
    {0, "\x89HDF", "an HDF5 file"},
    {0, "\x7F\x45LF", "a program (ELF)"},
    {257, "ustar", "a tar archive"},
}};

/// Whether the text begins with `word`, whatever its case.
bool begins_with(std::string_view text, std::string_view word) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [&](char b, char a) { return same(a, b); });
}

/// Whether the first bytes are what a person could read.
bool is_text(std::string_view bytes) {
  const auto is_readable = [](unsigned char letter) {
    return letter >= 0x20 ? letter != 0x7F : letter == '\n' || letter == '\r' || letter == '\t';
  };
  // The cut may go through a letter of several bytes: a few at the end do not count.
  constexpr size_t kLooked = 512, kLongestLetter = 4;
  std::string_view head = bytes.substr(0, kLooked);
  if (!std::all_of(head.begin(), head.end(), is_readable)) return false;
  for (size_t cut = 0; cut < kLongestLetter && head.size() > 1; ++cut) {
    if (is_valid_utf8(head)) return true;
    head.remove_suffix(1);
  }
  return false;
}

}  // namespace

std::string_view foreign_format(std::string_view bytes) {
  for (const Signature& signature : kSignatures) {
    if (bytes.size() > signature.at && bytes.substr(signature.at).starts_with(signature.bytes))
      return signature.what;
  }
  constexpr size_t kLengthSize = 8;  // less may be the beginning of a safetensors file
  if (bytes.size() <= kLengthSize || !is_text(bytes)) return "";
  const size_t start = bytes.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (start == std::string_view::npos) return "blank text";
  const std::string_view text = bytes.substr(start);
  if (begins_with(text, "<!doctype html") || begins_with(text, "<html")) {
    return "a web page (HTML): a page to log in or to agree on, or a link to the wrong place";
  }
  if (text.starts_with('<')) return "XML text";
  return text.starts_with('{') || text.starts_with('[') ? "JSON text" : "plain text";
}

}  // namespace t2v
