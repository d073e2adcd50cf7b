#include "tensors/kernels/processor.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "tensors/tensor.h"

namespace t2v {
namespace {

TEST(Processor, AnswersBothWays) {
  for (const bool able : {true, false}) {
    const PretendProcessor pretend({Vectors::kBaseline, true, able, !able});
    EXPECT_TRUE(processor().has_onednn(at::kFloat));
    EXPECT_EQ(processor().has_onednn(at::kBFloat16), able);
    EXPECT_EQ(processor().has_onednn(at::kHalf), !able);
    EXPECT_FALSE(processor().has_onednn(at::kDouble));
  }
}

TEST(Processor, OfThisMachineIsBackAfterwards) {
  const Processor machine = processor();
  { const PretendProcessor pretend({Vectors::kBaseline, false, false, false}); }
  EXPECT_EQ(processor().vectors, machine.vectors);
  EXPECT_EQ(processor().onednn_float32, machine.onednn_float32);
}

TEST(Processor, HasTheVectorsThatLibTorchUses) {
  const std::string capability = at::get_cpu_capability();
  EXPECT_EQ(processor().vectors == Vectors::kAvx512, capability == "AVX512");
  EXPECT_EQ(processor().vectors == Vectors::kAvx2, capability == "AVX2");
}

// CTest runs this with oneDNN held back to AVX2.
TEST(Processor, HasNoBfloat16WhereOnednnIsHeldBack) {
  const char* most = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (most == nullptr) GTEST_SKIP() << "ONEDNN_MAX_CPU_ISA is not set";
  ASSERT_STREQ(most, "AVX2");
  EXPECT_FALSE(processor().has_onednn(at::kBFloat16));
  EXPECT_FALSE(processor().has_onednn(at::kHalf));
}

}  // namespace
}  // namespace t2v
