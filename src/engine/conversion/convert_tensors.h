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
  std::string name;  ///< in that file
  at::ScalarType dtype;
  TensorSource source;  ///< where its values are now
  double divisor = 1;   ///< of every value, before it gets its dtype
  Tensor values = {};   ///< without a source: the values themselves

  std::vector<int64_t> shape() const;
  uint64_t bytes() const;
};

/// A tensor that is in no file yet.
ConvertedTensor new_tensor(const std::string& name, const Tensor& values);

/// What the values of a tensor are divided by so that float8_e4m3fn, whose largest number is 448, holds them
/// best. Reads all of them, a part at a time. Error (kInput).
float fp8_scale(const TensorSource& source);

/// The dtype that holds the numbers of a stored tensor exactly: their own, float32 for quantised and scaled
/// ones.
at::ScalarType exact_dtype(const TensorSource& source);

/// Writes tensors into one safetensors file, a part of a tensor at a time: memory does not grow with their
/// sizes. Numbers that keep their dtype keep their bits. `on_tensor` is called before each. Error (kInput,
/// kOutput); (kUsage) if the name is taken.
void write_converted(const std::filesystem::path& file, const std::vector<ConvertedTensor>& tensors,
                     const std::map<std::string, std::string>& metadata,
                     const std::function<void()>& on_tensor);

/// Tensors spread over files of at most `largest` bytes each, in their order. One of them alone may be
/// larger.
std::vector<std::vector<ConvertedTensor>> in_shards(const std::vector<ConvertedTensor>& tensors,
                                                    uint64_t largest);

}  // namespace t2v
