#include "tensors/quantization/matrix.h"

namespace t2v {

Tensor Matrix::numbers() const { return scale ? values.to(at::kFloat).mul_(*scale).to(dtype) : values; }

Matrix Matrix::to(at::Device device) const {
  const auto moved = [&](const Tensor& tensor) { return tensor.to(device, /*non_blocking=*/true); };
  return {moved(values), scale ? std::optional(moved(*scale)) : std::nullopt, dtype};
}

Matrix Matrix::pinned() const {
  return {values.pin_memory(), scale ? std::optional(scale->pin_memory()) : std::nullopt, dtype};
}

Matrix to_fp8(const Tensor& numbers, at::ScalarType dtype) {
  constexpr double kLargest = 448;
  const Tensor exact = numbers.to(at::kFloat);
  const Tensor largest = exact.abs().amax(/*dim=*/1, /*keepdim=*/true);
  const Tensor scale = at::where(largest > 0, largest / kLargest, at::ones_like(largest));
  return {(exact / scale).to(at::kFloat8_e4m3fn), scale, dtype};
}

bool is_block_matrix(const std::string& name, const StoredTensor& stored) {
  const bool in_block = name.find("blocks.") != std::string::npos || name.starts_with("encoder.block.");
  return in_block && stored.shape.size() == 2 && name.ends_with(".weight") &&
         name.find("relative_attention_bias") == std::string::npos;
}

}  // namespace t2v
