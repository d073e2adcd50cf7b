#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <unistd.h>

#include "tensors/tensor.h"
#include "tensors/weights/safetensors_writer.h"
#include "tensors/weights/weights.h"
#include "unit/error_of.h"

namespace t2v::testing {

/// Largest difference over the largest expected value.
inline double relative_error(const Tensor& actual, const Tensor& expected) {
  const Tensor difference = (actual.to(at::kFloat) - expected.to(at::kFloat)).abs().max();
  return difference.item<double>() / expected.to(at::kFloat).abs().max().item<double>();
}

/// Largest |actual - expected| / (1 + |expected|).
inline double mixed_error(const Tensor& actual, const Tensor& expected) {
  const Tensor e = expected.to(at::kFloat);
  return ((actual.to(at::kFloat) - e).abs() / (1 + e.abs())).max().item<double>();
}

inline Weights open_fixture(const std::string& file) {
  return Weights::open_file(std::filesystem::path(T2V_FIXTURES) / file, {});
}

/// A checkpoint of these tensors, in a temporary file that the view keeps mapped.
inline Weights weights_of(const std::vector<std::pair<std::string, Tensor>>& tensors,
                          const LoadOptions& options) {
  static int count = 0;
  const auto file = std::filesystem::path(::testing::TempDir()) /
                    ("t2v-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".safetensors");
  write_safetensors(file, tensors, {});
  Weights weights = Weights::open_file(file, options);
  std::filesystem::remove(file);
  return weights;
}

/// The same, handed out in `dtype`.
inline Weights weights_of(const std::vector<std::pair<std::string, Tensor>>& tensors,
                          at::ScalarType dtype = at::kFloat) {
  return weights_of(tensors, {.placement = {.dtype = dtype}, .keep_in_fp32 = {}});
}

}  // namespace t2v::testing
