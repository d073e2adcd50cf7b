#pragma once

#include <limits>

#include <gtest/gtest.h>

#include "tensors/kernels/processor.h"
#include "unit/tensors.h"

namespace t2v::testing {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// A dtype that a kernel takes, and how far the kernel may be from its reference: |difference| / (1 +
/// |reference|).
struct Precision {
  at::ScalarType dtype;
  double tolerance;
};
inline std::string name_of(const ::testing::TestParamInfo<Precision>& info) {
  return dtype_name(info.param.dtype);
}
class KernelTest : public ::testing::TestWithParam<Precision> {
 protected:
  Tensor random(at::IntArrayRef shape) { return seeded_randn(shape, seed_++).to(GetParam().dtype); }
  /// The same in another order in memory: the last two axes change places.
  static Tensor transposed(const Tensor& x) { return x.transpose(-1, -2).contiguous().transpose(-1, -2); }
  static Tensor channels_last(const Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); }

  static void expect_close(const Tensor& actual, const Tensor& expected) {
    EXPECT_EQ(actual.scalar_type(), expected.scalar_type());
    ASSERT_EQ(actual.sizes(), expected.sizes());
    EXPECT_TRUE(at::equal(actual.isnan(), expected.isnan()));
    EXPECT_LE(mixed_error(actual.nan_to_num(), expected.nan_to_num()), GetParam().tolerance);
  }
  /// The result without values has the shape, dtype and order in memory of `actual`.
  static void expect_alike(const Tensor& meta, const Tensor& actual) {
    EXPECT_TRUE(meta.is_meta());
    ASSERT_EQ(meta.sizes(), actual.sizes());
    for (int64_t i = 0; i < meta.dim(); ++i) {
      const bool matters = meta.size(i) > 1;
      EXPECT_TRUE(!matters || meta.stride(i) == actual.stride(i));
    }
    EXPECT_EQ(meta.scalar_type(), actual.scalar_type());
  }

 private:
  uint64_t seed_ = 1;
};

inline Tensor without_values(const Tensor& x) { return x.to(at::kMeta); }

/// This machine's processor without oneDNN.
inline Processor without_onednn() {
  Processor lesser = processor();
  lesser.onednn_float32 = lesser.onednn_bfloat16 = lesser.onednn_float16 = false;
  return lesser;
}

}  // namespace t2v::testing
