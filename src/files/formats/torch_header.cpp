#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "files/formats/byte_reader.h"
#include "files/formats/file_headers.h"
#include "files/formats/pickle.h"

namespace t2v {
namespace {

/// The bytes of one file of an archive.
struct ZipEntry {
  uint64_t begin = 0;  ///< from the beginning of the archive
  uint64_t end = 0;
};

using Entries = std::map<std::string, ZipEntry, std::less<>>;

constexpr std::string_view kLocalHeader = "PK\x03\x04";
constexpr std::string_view kDirectoryEntry = "PK\x01\x02";
constexpr std::string_view kDirectoryEnd = "PK\x05\x06";
constexpr std::string_view kZip64End = "PK\x06\x06";
constexpr std::string_view kZip64Locator = "PK\x06\x07";
constexpr size_t kLocalHeaderSize = 30, kEntrySize = 46, kEndSize = 22, kLocatorSize = 20,
                 kLongestComment = 65535;
constexpr uint32_t kInZip64 = 0xFFFFFFFF;
constexpr uint16_t kInZip64Short = 0xFFFF;
constexpr uint16_t kEncrypted = 1, kZip64Extra = 1;

class ZipReader {
 public:
  ZipReader(std::string_view bytes, const std::string& origin) : bytes_(bytes), origin_(origin) {}

  Entries read() {
    const Directory directory = find_directory();
    if (directory.size > bytes_.size() || directory.begin > bytes_.size() - directory.size ||
        directory.count > directory.size / kEntrySize) {
      refuse("a directory that does not lie inside the file");
    }
    ByteReader reader(bytes_.substr(directory.begin, directory.size), origin_);
    Entries entries;
    for (uint64_t i = 0; i < directory.count; ++i) {
      auto [name, entry] = read_entry(reader);
      if (!entries.emplace(name, entry).second) refuse("the file " + shown_name(name) + " twice");
    }
    return entries;
  }

 private:
  struct Directory {
    uint64_t count, size, begin;
  };

  [[noreturn]] void refuse(const std::string& got) const {
    ByteReader("", origin_).refuse(got, "a zip archive as torch.save writes it");
  }

  ByteReader reader_at(uint64_t position) const {
    if (position > bytes_.size()) refuse("a record behind the end of the file");
    return ByteReader(bytes_.substr(position), origin_);
  }

  Directory find_directory() const {
    // Only there: half of a download is not read from its end to its beginning.
    const size_t first = bytes_.size() - std::min(bytes_.size(), kEndSize + kLongestComment);
    const size_t found = bytes_.substr(first).rfind(kDirectoryEnd);
    if (found == std::string_view::npos || bytes_.size() - first - found < kEndSize) {
      refuse("no directory at the end of the archive");
    }
    const size_t end = first + found;
    ByteReader reader = reader_at(end + 4 + 6);  // behind the signature and the numbers of disks
    const auto count = reader.take<uint16_t>();
    const auto size = reader.take<uint32_t>();
    const auto begin = reader.take<uint32_t>();
    if (reader.take<uint16_t>() != reader.left()) refuse("bytes behind the directory");
    if (count != kInZip64Short && size != kInZip64 && begin != kInZip64) return {count, size, begin};
    return find_zip64_directory(end);
  }

  Directory find_zip64_directory(size_t end) const {
    if (end < kLocatorSize || !bytes_.substr(end - kLocatorSize).starts_with(kZip64Locator)) {
      refuse("no zip64 directory");
    }
    const auto position = reader_at(end - kLocatorSize + 4 + 4).take<uint64_t>();
    ByteReader reader = reader_at(position);
    if (reader.take_bytes(4) != kZip64End) refuse("no zip64 directory");
    reader.take_bytes(28);  // its size, versions, numbers of disks, entries on this disk
    const auto count = reader.take<uint64_t>();
    const auto size = reader.take<uint64_t>();
    return {count, size, reader.take<uint64_t>()};
  }

  std::pair<std::string, ZipEntry> read_entry(ByteReader& reader) const {
    if (reader.take_bytes(4) != kDirectoryEntry) refuse("a damaged directory");
    reader.take_bytes(4);  // versions
    const auto flags = reader.take<uint16_t>();
    const auto method = reader.take<uint16_t>();
    reader.take_bytes(8);  // time, date, checksum
    uint64_t packed_size = reader.take<uint32_t>();
    uint64_t size = reader.take<uint32_t>();
    const auto name_size = reader.take<uint16_t>();
    const auto extra_size = reader.take<uint16_t>();
    const auto comment_size = reader.take<uint16_t>();
    reader.take_bytes(8);  // disk, attributes
    uint64_t begin = reader.take<uint32_t>();
    const std::string name(reader.take_bytes(name_size));
    read_zip64_extra(reader.take_bytes(extra_size), size, packed_size, begin);
    reader.take_bytes(comment_size);
    if (method != 0 || (flags & kEncrypted) != 0 || size != packed_size) {
      throw Error(ErrorCode::kInput, {.doing = "reading " + origin_,
                                      .got = "a zip archive with " + shown_name(name) +
                                             ", a file that is compressed or encrypted",
                                      .expected = "a zip archive as torch.save writes it",
                                      .advice = "unpack it, and name the file with the weights"});
    }
    return {name, content_of(name, begin, size)};
  }

  /// The 64-bit values of those fields that their 32 bits could not hold, in this order.
  void read_zip64_extra(std::string_view extra, uint64_t& size, uint64_t& packed_size,
                        uint64_t& begin) const {
    ByteReader reader(extra, origin_);
    while (reader.left() >= 4) {
      const auto id = reader.take<uint16_t>();
      ByteReader field(reader.take_bytes(reader.take<uint16_t>()), origin_);
      if (id != kZip64Extra) continue;
      for (uint64_t* value : {&size, &packed_size, &begin}) {
        if (*value == kInZip64) *value = field.take<uint64_t>();
      }
    }
  }

  ZipEntry content_of(const std::string& name, uint64_t header, uint64_t size) const {
    ByteReader reader = reader_at(header);
    if (reader.left() < kLocalHeaderSize || reader.take_bytes(4) != kLocalHeader) {
      refuse("no file at the place of " + shown_name(name));
    }
    reader.take_bytes(22);  // the same as in the directory, or 0
    const auto name_size = reader.take<uint16_t>();
    const auto extra_size = reader.take<uint16_t>();
    if (reader.take_bytes(name_size) != name) refuse("another file at the place of " + shown_name(name));
    reader.take_bytes(extra_size);
    if (reader.left() < size) refuse("the file " + shown_name(name) + " cut short");
    const uint64_t begin = header + reader.position();
    return {begin, begin + size};
  }

  std::string_view bytes_;
  const std::string& origin_;
};

/// The files of a zip archive, as its central directory lists them, zip64 included. All of them have to be
/// stored as they are (not compressed, not encrypted) and to lie inside `bytes`. Error (kInput) that calls
/// the archive `origin` for anything else.
Entries read_zip_directory(std::string_view bytes, const std::string& origin) {
  return ZipReader(bytes, origin).read();
}

constexpr std::string_view kPickle = "data.pkl";
constexpr size_t kLargestPickle = 4 << 20;

/// The folder in which an archive has everything: what comes before data.pkl.
std::string folder_of(const Entries& entries, const std::string& origin) {
  for (const auto& [name, entry] : entries) {
    const size_t slash = name.find('/');
    if (slash != std::string::npos && name.substr(slash + 1) == kPickle) return name.substr(0, slash + 1);
  }
  throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                  .got = "a zip archive without data.pkl, not one that torch.save wrote",
                                  .expected = "a safetensors, GGUF or torch file",
                                  .advice = "unpack it, and name the file with the weights"});
}

/// Whether the numbers follow each other without a gap, the last dimension fastest.
bool is_contiguous(const PickledTensor& tensor) {
  int64_t stride = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != stride) return false;
    stride *= tensor.shape[i];
  }
  return true;
}

class TorchReader {
 public:
  TorchReader(std::string_view bytes, const std::string& origin)
      : bytes_(bytes), origin_(origin), entries_(read_zip_directory(bytes, origin)) {}

  FileHeader read() {
    const std::string folder = folder_of(entries_, origin_);
    const auto order = entries_.find(folder + "byteorder");
    if (order != entries_.end() && content(order->second) != "little")
      refuse("numbers that are not little-endian");
    FileHeader header{.format = FileFormat::kTorch};
    const std::string_view pickle = content(entries_.at(folder + std::string(kPickle)));
    // Interpreting takes a few hundred bytes for each; of 1,300 tensors a pickle has 200,000.
    if (pickle.size() > kLargestPickle) refuse("a pickle of " + std::to_string(pickle.size()) + " bytes");
    for (const auto& [name, tensor] : read_pickled_tensors(pickle, origin_)) {
      const auto storage = entries_.find(folder + "data/" + tensor.storage);
      if (storage == entries_.end()) refuse("no data of the tensor " + shown_name(name));
      header.tensors.emplace(name, place(name, tensor, storage->second));
    }
    return header;
  }

 private:
  std::string_view content(const ZipEntry& entry) const {
    return bytes_.substr(entry.begin, entry.end - entry.begin);
  }
  [[noreturn]] void refuse(const std::string& got) const {
    ByteReader("", origin_).refuse(got, "an archive as torch.save writes it");
  }

  StoredTensor place(const std::string& name, const PickledTensor& tensor, const ZipEntry& storage) const {
    const auto number_size = static_cast<uint64_t>(number_block(*tensor.format).bytes);
    const uint64_t numbers = (storage.end - storage.begin) / number_size;
    if (tensor.storage_size < 0 || static_cast<uint64_t>(tensor.storage_size) != numbers) {
      refuse("data of another size than the tensor " + shown_name(name) + " has");
    }
    const int64_t last = last_number(name, tensor);
    const auto count = stored_size(NumberFormat::kU8, tensor.shape);
    StoredTensor stored{
        .format = *tensor.format, .shape = tensor.shape, .begin = storage.begin, .end = storage.begin};
    if (count && *count == 0) return stored;
    if (!count || *count > numbers || last >= static_cast<int64_t>(numbers)) {
      refuse("a tensor " + shown_name(name) + " beyond its data");
    }
    stored.begin += static_cast<uint64_t>(tensor.offset) * number_size;
    stored.end += static_cast<uint64_t>(last + 1) * number_size;
    if (!is_contiguous(tensor)) stored.strides = tensor.strides;
    return stored;
  }

  /// The index of the number that lies furthest behind in the storage.
  int64_t last_number(const std::string& name, const PickledTensor& tensor) const {
    bool fits = tensor.shape.size() == tensor.strides.size() && tensor.shape.size() <= kMostDimensions &&
                tensor.offset >= 0;
    int64_t last = tensor.offset;
    for (size_t i = 0; fits && i < tensor.shape.size(); ++i) {
      int64_t distance = 0;
      fits =
          tensor.shape[i] >= 0 && tensor.strides[i] >= 0 &&
          !__builtin_mul_overflow(std::max<int64_t>(tensor.shape[i] - 1, 0), tensor.strides[i], &distance) &&
          !__builtin_add_overflow(last, distance, &last);
    }
    if (!fits || last == INT64_MAX) refuse("a tensor " + shown_name(name) + " of an impossible shape");
    return last;
  }

  std::string_view bytes_;
  const std::string& origin_;
  Entries entries_;
};

}  // namespace

FileHeader read_torch_header(std::string_view bytes, const std::string& origin) {
  return TorchReader(bytes, origin).read();
}

}  // namespace t2v
