#include "files/formats/byte_reader.h"
#include "files/formats/file_headers.h"
#include "files/formats/pickle.h"
#include "files/formats/zip_directory.h"

namespace t2v {
namespace {

using Entries = std::map<std::string, ZipEntry, std::less<>>;

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
