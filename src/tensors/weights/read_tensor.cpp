#include "tensors/weights/read_tensor.h"

#include <algorithm>
#include <cstring>

#include "tensors/quantization/dequantize.h"
#include "tensors/weights/dtypes.h"

namespace t2v {
namespace {

[[noreturn]] void refuse(const TensorSource& source, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + source.file->path().string(),
                                  .got = got,
                                  .expected = expected,
                                  .advice = "the file is damaged: download it again"});
}

Tensor read_quantized(const TensorSource& source) {
  const NumberBlock block = number_block(source.stored.format);
  const auto bytes = static_cast<int64_t>(source.stored.end - source.stored.begin);
  int64_t count = 1;
  for (const int64_t size : source.stored.shape) count *= size;
  // The tensor consists of whole blocks. A row may not, because the writer may have flattened the tensor.
  if (bytes % block.bytes != 0 || bytes / block.bytes * block.numbers != count) {
    refuse(source, std::to_string(count) + " numbers in " + std::to_string(bytes) + " bytes",
           "whole blocks of " + std::string(number_format_name(source.stored.format)));
  }
  Tensor numbers = at::empty(source.stored.shape, at::kFloat);
  dequantize(source.stored.format, source.file->bytes(source.stored),
             {numbers.mutable_data_ptr<float>(), static_cast<size_t>(numbers.numel())});
  return numbers;
}

Tensor read_plain(const TensorSource& source) {
  const StoredTensor& stored = source.stored;
  const auto options = at::TensorOptions().dtype(dtype_of(stored.format));
  if (stored.begin == stored.end) return at::empty(stored.shape, options);
  const auto bytes = source.file->bytes(stored);
  if (stored.format == NumberFormat::kBool &&
      std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b > std::byte{1}; })) {
    refuse(source, "a BOOL that is neither 0 nor 1", "0 or 1");
  }
  const auto view = [&](const void* data) {
    const auto keep_file = [file = source.file](void*) {};
    void* writable = const_cast<void*>(data);
    return stored.strides.empty() ? at::from_blob(writable, stored.shape, keep_file, options)
                                  : at::from_blob(writable, stored.shape, stored.strides, keep_file, options);
  };
  if (reinterpret_cast<uintptr_t>(bytes.data()) % at::elementSize(dtype_of(stored.format)) == 0) {
    return view(bytes.data());
  }
  const Tensor aligned = at::empty({static_cast<int64_t>(bytes.size())}, at::kByte);
  std::memcpy(aligned.mutable_data_ptr(), bytes.data(), bytes.size());
  return view(aligned.const_data_ptr()).clone();
}

/// The factor of a scaled tensor in float32: one number, or one number for each row. It has as many
/// dimensions as the tensor.
Tensor read_scale(const TensorSource& source) {
  const Tensor scale = read_plain(*source.scale).to(at::kFloat);
  std::vector<int64_t> shape(source.stored.shape.size(), 1);
  const bool by_row = scale.numel() != 1;
  if (!is_floating(source.scale->stored.format) || is_quantized(source.scale->stored.format) ||
      (by_row && (shape.empty() || scale.numel() != source.stored.shape[0]))) {
    refuse(source, "a scale of " + std::to_string(scale.numel()) + " numbers",
           "one number, or one for each row");
  }
  if (by_row) shape[0] = scale.numel();
  return scale.reshape(shape);
}

}  // namespace

Tensor read_tensor(const TensorSource& source) {
  const Tensor numbers = is_quantized(source.stored.format) ? read_quantized(source) : read_plain(source);
  return source.scale ? numbers.to(at::kFloat) * read_scale(source) : numbers;
}

Tensor read_rows(const TensorSource& source, const Tensor& rows) {
  const bool one_after_another = source.stored.strides.empty() && !source.scale;
  if (!one_after_another || rows.numel() == 0) return read_tensor(source).index_select(0, rows);
  const uint64_t row_bytes =
      (source.stored.end - source.stored.begin) / static_cast<uint64_t>(source.stored.shape[0]);
  std::vector<Tensor> read;
  for (int64_t i = 0; i < rows.numel(); ++i) {
    TensorSource row = source;
    row.stored.shape[0] = 1;
    row.stored.begin += row_bytes * static_cast<uint64_t>(rows[i].item<int64_t>());
    row.stored.end = row.stored.begin + row_bytes;
    read.push_back(read_tensor(row));
  }
  return at::cat(read);
}

Matrix read_fp8(const TensorSource& source, at::ScalarType dtype) {
  const Tensor scale = source.scale ? read_scale(source) : at::ones({1, 1});
  return {read_tensor({source.file, source.stored}), scale, dtype};
}

}  // namespace t2v
