#include "engine/conversion/convert_tensors.h"

#include <algorithm>

#include "tensors/weights/dtypes.h"
#include "tensors/weights/read_tensor.h"
#include "tensors/weights/safetensors_writer.h"

namespace t2v {
namespace {

constexpr int64_t kNumbersInPart = 16 << 20;  // 64 MiB of float32

int64_t number_count(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

/// `count` rows of a contiguous tensor from `first` on.
StoredTensor rows_of(const StoredTensor& stored, int64_t first, int64_t count) {
  StoredTensor rows = stored;
  const uint64_t row_bytes = (stored.end - stored.begin) / static_cast<uint64_t>(stored.shape[0]);
  rows.shape[0] = count;
  rows.begin = stored.begin + static_cast<uint64_t>(first) * row_bytes;
  rows.end = rows.begin + static_cast<uint64_t>(count) * row_bytes;
  return rows;
}

/// Number of rows of a tensor that are read at a time: all rows if rows cannot be read alone.
int64_t rows_in_part(const TensorSource& source) {
  const StoredTensor& stored = source.stored;
  const int64_t rows = std::max<int64_t>(stored.shape[0], 1), row = number_count(stored.shape) / rows;
  if (!stored.strides.empty() || row == 0) return rows;
  // Blocks of numbers with one scale must not be cut, nor scales unless each row has one.
  const bool whole_blocks = row % number_block(stored.format).numbers == 0;
  const bool scales_by_row = source.scale == nullptr || number_count(source.scale->stored.shape) == 1 ||
                             (source.scale->stored.shape[0] == rows && source.scale->stored.strides.empty());
  return whole_blocks && scales_by_row ? std::clamp<int64_t>(kNumbersInPart / row, 1, rows) : rows;
}

TensorSource part_of(const TensorSource& source, int64_t first, int64_t count) {
  if (count == source.stored.shape[0]) return source;
  TensorSource part{source.file, rows_of(source.stored, first, count), source.scale};
  if (part.scale != nullptr && number_count(part.scale->stored.shape) != 1) {
    part.scale = std::make_shared<TensorSource>(
        TensorSource{source.scale->file, rows_of(source.scale->stored, first, count), nullptr});
  }
  return part;
}

/// Calls `action` with one part of a tensor after the other. The values are valid during the call.
template <typename Action>
void for_each_part(const TensorSource& source, const Action& action) {
  if (source.stored.shape.empty()) return action(read_tensor(source));
  const int64_t rows = source.stored.shape[0], step = rows_in_part(source);
  for (int64_t first = 0; first < rows; first += step) {
    const TensorSource part = part_of(source, first, std::min(step, rows - first));
    action(read_tensor(part));
    forget_pages(source.file->bytes(part.stored));
  }
}

void append(SafetensorsWriter& writer, const Tensor& values) {
  const Tensor tensor = values.contiguous();
  writer.append({static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()});
}

void append_converted(SafetensorsWriter& writer, const ConvertedTensor& tensor) {
  if (tensor.source.file == nullptr) return append(writer, tensor.values);
  for_each_part(tensor.source, [&](const Tensor& values) {
    const Tensor divided = tensor.divisor == 1 ? values : values.to(at::kFloat).div(tensor.divisor);
    append(writer, divided.to(tensor.dtype));
  });
}

}  // namespace

std::vector<int64_t> ConvertedTensor::shape() const {
  return source.file != nullptr ? source.stored.shape : values.sizes().vec();
}

uint64_t ConvertedTensor::bytes() const {
  return static_cast<uint64_t>(number_count(shape())) * at::elementSize(dtype);
}

ConvertedTensor new_tensor(const std::string& name, const Tensor& values) {
  return {.name = name, .dtype = values.scalar_type(), .source = {}, .values = values};
}

float fp8_scale(const TensorSource& source) {
  constexpr float kLargest = 448;
  float largest = 0;
  for_each_part(source, [&](const Tensor& values) {
    if (values.numel() > 0) largest = std::max(largest, values.to(at::kFloat).abs().max().item<float>());
  });
  return largest > 0 ? largest / kLargest : 1;
}

at::ScalarType exact_dtype(const TensorSource& source) {
  const bool computed = source.scale != nullptr || is_quantized(source.stored.format);
  return computed ? at::kFloat : dtype_of(source.stored.format);
}

void write_converted(const std::filesystem::path& file, const std::vector<ConvertedTensor>& tensors,
                     const std::map<std::string, std::string>& metadata,
                     const std::function<void()>& on_tensor) {
  std::vector<PlannedTensor> planned;
  std::map<std::string, const ConvertedTensor*> named;
  for (const ConvertedTensor& tensor : tensors) {
    planned.push_back({tensor.name, tensor.dtype, tensor.shape()});
    named.emplace(tensor.name, &tensor);
  }
  SafetensorsWriter writer(file, std::move(planned), metadata);
  for (const PlannedTensor& next : writer.tensors()) {
    on_tensor();
    append_converted(writer, *named.at(next.name));
  }
  writer.publish(/*overwrite=*/false);
}

std::vector<std::vector<ConvertedTensor>> in_shards(const std::vector<ConvertedTensor>& tensors,
                                                    uint64_t largest) {
  std::vector<std::vector<ConvertedTensor>> shards(1);
  uint64_t size = 0;
  for (const ConvertedTensor& tensor : tensors) {
    if (!shards.back().empty() && size + tensor.bytes() > largest) {
      shards.emplace_back();
      size = 0;
    }
    size += tensor.bytes();
    shards.back().push_back(tensor);
  }
  return shards;
}

}  // namespace t2v
