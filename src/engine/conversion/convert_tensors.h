#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "files/checkpoints/component.h"
#include "tensors/tensor.h"

namespace t2v {

/// A tensor on its way into another file.
struct ConvertedTensor {
  std::string name;  ///< in the new file
  at::ScalarType dtype;
  TensorSource source;  ///< place of its values in the old file
  double divisor = 1;   ///< every value is divided by it, before the conversion to dtype
  Tensor values = {};   ///< the values of a tensor without a source

  std::vector<int64_t> shape() const;
  uint64_t bytes() const;
};

/// A tensor that no file holds yet.
ConvertedTensor new_tensor(const std::string& name, const Tensor& values);

/// The divisor that brings the largest value of a tensor to 448, the largest number of float8_e4m3fn. Reads
/// all values, a part at a time. Error (kInput).
float fp8_scale(const TensorSource& source);

/// The dtype that holds the numbers of a stored tensor exactly: the stored dtype, or float32 for quantised
/// and scaled numbers.
at::ScalarType exact_dtype(const TensorSource& source);

/// Writes tensors into one safetensors file, a part of a tensor at a time: memory does not grow with their
/// sizes. Numbers that keep their dtype keep their bits. `on_tensor` is called before each. Error (kInput,
/// kOutput); (kUsage) if the name is taken.
void write_converted(const std::filesystem::path& file, const std::vector<ConvertedTensor>& tensors,
                     const std::map<std::string, std::string>& metadata,
                     const std::function<void()>& on_tensor);

/// Spreads tensors, in their order, over files of at most `largest` bytes. A file of one tensor may be
/// larger.
std::vector<std::vector<ConvertedTensor>> in_shards(const std::vector<ConvertedTensor>& tensors,
                                                    uint64_t largest);

}  // namespace t2v
