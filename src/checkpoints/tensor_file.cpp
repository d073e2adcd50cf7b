#include "checkpoints/tensor_file.h"

#include <algorithm>
#include <string_view>

#include "checkpoints/safetensors_header.h"

namespace t2v {
namespace {

constexpr uint64_t kLongestHeader = 100'000'000;  // what the safetensors library accepts
constexpr size_t kLengthSize = 8;

/// Explains the files that people hand over most often instead of a safetensors file, by their first bytes.
void refuse_other_formats(std::string_view head, const std::string& file) {
  const bool zip = head.starts_with("PK\x03\x04");
  const bool pickle = head.size() > 1 && head[0] == '\x80' && head[1] >= 1 && head[1] <= 5;
  if (zip || pickle) throw pickle_error(file);
  if (head.starts_with("version https://git-lfs")) {
    throw Error(ErrorCode::kInput, {.doing = "reading " + file,
                                    .got = "a Git LFS pointer",
                                    .expected = "the weights it stands for",
                                    .advice = "run git lfs pull in the checkpoint's folder"});
  }
}

/// The JSON of the header, somewhere inside `bytes`.
std::string_view header_text(std::string_view bytes, const std::string& file) {
  const auto refuse = [&](const std::string& got, const std::string& expected) {
    throw Error(ErrorCode::kInput,
                {.doing = "reading " + file,
                 .got = got,
                 .expected = expected,
                 .advice = "the file is damaged or not a safetensors file: download it again"});
  };
  // A length may begin with the bytes of another format; behind it only safetensors has a brace.
  if (bytes.size() <= kLengthSize || bytes[kLengthSize] != '{') refuse_other_formats(bytes, file);
  if (bytes.size() < kLengthSize) {
    refuse("a file of " + std::to_string(bytes.size()) + " bytes", "a header of at least 8");
  }
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthSize; ++i) length |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  const uint64_t longest = std::min<uint64_t>(kLongestHeader, bytes.size() - kLengthSize);
  if (length > longest) {
    refuse("a header of " + std::to_string(length) + " bytes in a file of " + std::to_string(bytes.size()),
           "at most " + std::to_string(longest));
  }
  return bytes.substr(kLengthSize, length);
}

}  // namespace

Error pickle_error(const std::filesystem::path& file) {
  return Error(
      ErrorCode::kInput,
      {.doing = "reading " + file.string(),
       .got = "a Python pickle, which can run code when it is loaded",
       .expected = "a safetensors file",
       .advice =
           "convert it in Python: safetensors.torch.save_file(torch.load(FILE, weights_only=True), OUT)"});
}

TensorFile::TensorFile(const std::filesystem::path& file) : path_(file), mapping_(file) {
  const std::string_view bytes(reinterpret_cast<const char*>(mapping_.data()), mapping_.size());
  const std::string_view json = header_text(bytes, file.string());
  const size_t header_size = kLengthSize + json.size();
  SafetensorsHeader header = parse_safetensors_header(json, bytes.size() - header_size, file.string());
  tensors_ = std::move(header.tensors);
  metadata_ = std::move(header.metadata);
  for (auto& [name, stored] : tensors_) {
    stored.begin += header_size;
    stored.end += header_size;
  }
}

std::shared_ptr<const TensorFile> TensorFile::open(const std::filesystem::path& file) {
  return std::shared_ptr<const TensorFile>(new TensorFile(file));
}

}  // namespace t2v
