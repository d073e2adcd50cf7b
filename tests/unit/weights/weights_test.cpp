#include "weights/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace t2v {
namespace {

const std::filesystem::path kFixtures = std::filesystem::path(T2V_FIXTURES) / "weights";

TEST(Weights, ReadsEveryDtypeAsItIsStored) {
  const Weights weights = Weights::open_file(kFixtures / "dtypes.safetensors", {});
  const Tensor expected = at::tensor({0.0, 0.5, 1.0, 1.5, 2.0, 2.5}).reshape({2, 3}).to(at::kFloat);
  for (const char* name : {"f64", "f32", "f16", "bf16", "f8_e4m3", "f8_e5m2"}) {
    EXPECT_TRUE(at::equal(weights.tensor(name, {2, 3}), expected)) << name;
  }
  for (const char* name : {"i64", "i32", "i16", "i8", "u8"}) {
    const Tensor values = weights.tensor(name);
    EXPECT_TRUE(at::equal(values, at::tensor({0, 0, 1, 1, 2, 2}).reshape({2, 3}).to(values.scalar_type())))
        << name;
    EXPECT_FALSE(values.is_floating_point()) << name;
  }
  EXPECT_EQ(weights.tensor("i16").scalar_type(), at::kShort);
  EXPECT_TRUE(at::equal(weights.tensor("bool"), expected.to(at::kBool)));
  EXPECT_EQ(weights.tensor("scalar", {}).item<float>(), 7.0f);
  EXPECT_EQ(weights.tensor("empty", {0, 4}).numel(), 0);
  EXPECT_NO_THROW(weights.expect_all_used());
}

TEST(Weights, OpensAShardedFolder) {
  const Weights weights = Weights::open_folder(kFixtures / "sharded", "model", {});
  EXPECT_EQ(weights.files().size(), 2u);
  EXPECT_TRUE(at::equal(weights["blocks"]["0"].tensor("weight", {4}), at::arange(4, at::kFloat)));
  EXPECT_TRUE(at::equal(weights["blocks.1"].tensor("weight", {4}), at::arange(10, 14, at::kFloat)));
}

}  // namespace
}  // namespace t2v
