#include "media/images/exif.h"

#include <optional>

namespace t2v {
namespace {

constexpr int kUpright = 1;

/// Unsigned integers in somebody else's bytes; nothing where they end.
class Bytes {
 public:
  Bytes(std::string_view data, bool big_endian) : data_(data), big_endian_(big_endian) {}

  std::optional<uint32_t> integer(size_t at, size_t size) const {
    if (at > data_.size() || size > data_.size() - at) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i)
      value = value << 8 | static_cast<uint8_t>(data_[at + (big_endian_ ? i : size - 1 - i)]);
    return value;
  }

 private:
  std::string_view data_;
  bool big_endian_;
};

/// The orientation in the first directory of a TIFF structure, which is what EXIF data is.
int tiff_orientation(std::string_view tiff) {
  constexpr uint32_t kOrientation = 0x0112, kShort = 3;
  constexpr size_t kEntrySize = 12;
  if (!tiff.starts_with("II") && !tiff.starts_with("MM")) return kUpright;
  const Bytes bytes(tiff, tiff.starts_with("MM"));
  const auto directory = bytes.integer(4, 4);
  const auto count = directory ? bytes.integer(*directory, 2) : std::nullopt;
  for (size_t i = 0; i < count.value_or(0); ++i) {
    const size_t entry = size_t{*directory} + 2 + i * kEntrySize;
    const auto tag = bytes.integer(entry, 2);
    if (!tag) break;
    if (*tag != kOrientation || bytes.integer(entry + 2, 2) != kShort) continue;
    const uint32_t value = bytes.integer(entry + 8, 2).value_or(kUpright);
    return 1 <= value && value <= 8 ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

/// The EXIF data of a JPEG file: in a segment before the picture.
std::string_view jpeg_exif(std::string_view file) {
  constexpr uint32_t kExifSegment = 0xFFE1, kStartOfScan = 0xFFDA;
  constexpr std::string_view kMark("Exif\0\0", 6);
  const Bytes bytes(file, /*big_endian=*/true);
  for (size_t at = 2; at < file.size();) {
    const auto marker = bytes.integer(at, 2), length = bytes.integer(at + 2, 2);
    if (marker == 0xFFFF) {  // padding
      ++at;
      continue;
    }
    if (!length || *length < 2 || *marker < 0xFF00 || *marker == kStartOfScan) break;
    const std::string_view segment = file.substr(at + 4, *length - 2);
    if (*marker == kExifSegment && segment.starts_with(kMark)) return segment.substr(kMark.size());
    at += 2 + *length;
  }
  return {};
}

/// A file of chunks from `first` on, each with its length and its name, in this order or the other, and
/// `trailer` bytes behind what it holds.
struct ChunkFormat {
  size_t first;
  bool length_first, big_endian;
  size_t trailer, alignment;
};

/// What the chunk `name` holds; empty if there is none.
std::string_view chunk(std::string_view file, const ChunkFormat& format, std::string_view name) {
  const Bytes bytes(file, format.big_endian);
  for (size_t at = format.first; at < file.size();) {
    const auto length = bytes.integer(at + (format.length_first ? 0 : 4), 4);
    if (!length || file.size() - at < 8) break;
    if (file.substr(at + (format.length_first ? 4 : 0), 4) == name) return file.substr(at + 8, *length);
    const size_t padded = (size_t{*length} + format.alignment - 1) / format.alignment * format.alignment;
    at += 8 + padded + format.trailer;
  }
  return {};
}

}  // namespace

int exif_orientation(std::string_view file) {
  if (file.starts_with("\xFF\xD8")) return tiff_orientation(jpeg_exif(file));
  if (file.starts_with("\x89PNG")) {
    constexpr ChunkFormat kPng{
        .first = 8, .length_first = true, .big_endian = true, .trailer = 4, .alignment = 1};
    return tiff_orientation(chunk(file, kPng, "eXIf"));
  }
  if (file.starts_with("RIFF")) {
    constexpr ChunkFormat kWebP{
        .first = 12, .length_first = false, .big_endian = false, .trailer = 0, .alignment = 2};
    std::string_view exif = chunk(file, kWebP, "EXIF");
    constexpr std::string_view kMark("Exif\0\0", 6);  // some writers copy it from JPEG
    if (exif.starts_with(kMark)) exif.remove_prefix(kMark.size());
    return tiff_orientation(exif);
  }
  return kUpright;
}

Frames stand_upright(Frames frames, int orientation) {
  if (orientation <= kUpright || orientation > 8) return frames;
  // Stored row and column of the upright picture's pixel (y, x): swapped from 5 on, then counted from the far
  // side.
  const bool swapped = orientation >= 5;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Frames upright{.count = frames.count,
                 .height = swapped ? frames.width : frames.height,
                 .width = swapped ? frames.height : frames.width,
                 .rgb = {}};
  upright.rgb.reserve(frames.rgb.size());
  for (int64_t i = 0; i < frames.count; ++i) {
    for (int64_t y = 0; y < upright.height; ++y) {
      for (int64_t x = 0; x < upright.width; ++x) {
        const int64_t row = swapped ? x : y, column = swapped ? y : x;
        const int64_t stored_row = from_bottom ? frames.height - 1 - row : row;
        const int64_t stored_column = from_right ? frames.width - 1 - column : column;
        const auto* pixel =
            frames.rgb.data() + 3 * ((i * frames.height + stored_row) * frames.width + stored_column);
        upright.rgb.insert(upright.rgb.end(), pixel, pixel + 3);
      }
    }
  }
  return upright;
}

}  // namespace t2v
