#include "files/formats/tensor_file.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "files/formats/file_headers.h"
#include "files/formats/foreign_format.h"

namespace t2v {
namespace {

constexpr std::string_view kGguf = "GGUF";
constexpr std::string_view kZip = "PK\x03\x04";
constexpr size_t kLengthSize = 8;  // of the header of a safetensors file

bool is_pickle(std::string_view head) {
  return head.size() > 1 && head[0] == '\x80' && head[1] >= 1 && head[1] <= 5;
}

FileHeader read_header(std::string_view bytes, const std::string& origin) {
  // A length may begin with the bytes of another format; behind it only safetensors has a brace.
  if (bytes.size() <= kLengthSize || bytes[kLengthSize] != '{') {
    if (bytes.starts_with(kGguf)) return read_gguf_header(bytes, origin);
    if (bytes.starts_with(kZip)) return read_torch_header(bytes, origin);
    if (is_pickle(bytes)) throw pickle_error(origin, "a Python pickle, which can run code when it is loaded");
    if (bytes.starts_with("version https://git-lfs")) {
      throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                      .got = "a Git LFS pointer",
                                      .expected = "the weights it stands for",
                                      .advice = "run git lfs pull in the checkpoint's folder"});
    }
    if (const std::string_view foreign = foreign_format(bytes); !foreign.empty()) {
      throw Error(ErrorCode::kInput, {.doing = "reading " + origin,
                                      .got = std::string(foreign),
                                      .expected = "a safetensors, GGUF or torch file",
                                      .advice = "check the path, or download the weights again"});
    }
  }
  return read_safetensors_header(bytes, origin);
}

}  // namespace

std::string_view file_format_name(FileFormat format) {
  switch (format) {
    case FileFormat::kSafetensors:
      return "safetensors";
    case FileFormat::kGguf:
      return "GGUF";
    case FileFormat::kTorch:
      return "torch";
  }
  return "";
}

TensorFile::TensorFile(const std::filesystem::path& file)
    : path_(file), mapping_(file), header_(read_header(content(), file.string())) {}

std::shared_ptr<const TensorFile> TensorFile::open(const std::filesystem::path& file) {
  return std::shared_ptr<const TensorFile>(new TensorFile(file));
}

std::optional<uint64_t> stored_size(NumberFormat format, const std::vector<int64_t>& shape) {
  const NumberBlock block = number_block(format);
  if (block.numbers > 1 && (shape.empty() || shape.back() % block.numbers != 0)) return std::nullopt;
  int64_t extent = block.bytes;
  bool empty = false;
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t size = i + 1 == shape.size() ? shape[i] / block.numbers : shape[i];
    empty = empty || size == 0;
    if (__builtin_mul_overflow(extent, std::max<int64_t>(size, 1), &extent)) return std::nullopt;
  }
  // The numbers themselves have to be countable too.
  int64_t count = 1;
  for (const int64_t size : shape) {
    if (__builtin_mul_overflow(count, std::max<int64_t>(size, 1), &count)) return std::nullopt;
  }
  return empty ? 0 : static_cast<uint64_t>(extent);
}

Error pickle_error(const std::string& origin, const std::string& got) {
  return Error(ErrorCode::kInput,
               {.doing = "reading " + origin,
                .got = got,
                .expected = "a file of tensors and nothing else",
                .advice = "convert it in Python: "
                          "safetensors.torch.save_file(torch.load(FILE, weights_only=True), OUT)"});
}

bool is_named_like_tensors(const std::filesystem::path& file) {
  static const std::set<std::string> kExtensions = {".safetensors", ".sft", ".gguf", ".pth",
                                                    ".pt",          ".bin", ".ckpt"};
  return kExtensions.contains(file.extension().string());
}

}  // namespace t2v
