#include "tensors/tensor.h"

#include <limits>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "unit/core/temporary_folder.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;

TEST(Tensor, NoiseIsThatOfTheReference) {
  const auto cases = nlohmann::json::parse(read_file(T2V_FIXTURES "/core/randn.json", 1 << 20));
  ASSERT_EQ(cases.size(), 20u);
  for (const auto& one : cases) {
    const auto shape = one["shape"].get<std::vector<int64_t>>();
    const Tensor noise = seeded_randn(shape, std::stoull(one["seed"].get<std::string>()));
    EXPECT_EQ(noise.sizes(), at::IntArrayRef(shape));
    EXPECT_EQ(noise.scalar_type(), at::kFloat);
    const Tensor expected = at::tensor(one["noise"].get<std::vector<float>>()).reshape(shape);
    // Not exactly: processors without AVX2 take another logarithm.
    EXPECT_LE((noise - expected).abs().max().item<float>(), 2e-6f) << one["seed"] << one["shape"];
  }
}

TEST(Tensor, NoiseDependsOnTheSeedAlone) {
  const Tensor first = seeded_randn({64}, 1);
  at::randn({1000});
  EXPECT_TRUE(at::equal(first, seeded_randn({64}, 1)));
  EXPECT_FALSE(at::equal(first, seeded_randn({64}, 2)));
}

TEST(Tensor, ParsesDtypes) {
  EXPECT_EQ(parse_dtype("float32"), at::kFloat);
  EXPECT_EQ(parse_dtype("bfloat16"), at::kBFloat16);
  for (const std::string name : {"", "float", "Float32", "fp32", "bfloat16 "}) {
    EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { parse_dtype(name); }), HasSubstr("'" + name + "'"));
  }
  EXPECT_EQ(dtype_name(at::kFloat), "float32");
  EXPECT_EQ(dtype_name(at::kBFloat16), "bfloat16");
  EXPECT_EQ(dtype_name(at::kHalf), "float16");
}

TEST(Tensor, ParsesDevices) {
  EXPECT_EQ(parse_device("cpu"), at::Device(at::kCPU));
  for (const std::string name : {"", "CPU", "gpu", "cpu:0", "cuda:", "cuda:x", "cuda:1x", "cuda:-1",
                                 "cuda:128", "cuda:99999999999999999999", "cuda0", "cuda: 1"}) {
    EXPECT_THAT(error_of(ErrorCode::kUsage, [&] { parse_device(name); }), HasSubstr("'" + name + "'"));
  }
  EXPECT_THAT(error_of(ErrorCode::kResource, [] { parse_device("cuda:127"); }), HasSubstr("at least 128"));
}

TEST(Tensor, AutoIsTheCpuWithoutCuda) {
  const at::Device device = parse_device("auto");
  if (device.is_cuda()) GTEST_SKIP() << "there is a CUDA device";
  EXPECT_EQ(device, at::Device(at::kCPU));
  EXPECT_THAT(error_of(ErrorCode::kResource, [] { parse_device("cuda"); }), HasSubstr("`device` cpu"));
}

TEST(Tensor, ChecksThatValuesAreFinite) {
  Tensor values = at::zeros({2, 3});
  EXPECT_NO_THROW(check_finite(values, "the latents"));
  EXPECT_NO_THROW(check_finite(at::empty({0}), "nothing"));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    values[1][2] = bad;
    EXPECT_THAT(error_of(ErrorCode::kNumbers, [&] { check_finite(values, "the latents"); }),
                HasSubstr("the latents"));
    EXPECT_THROW(check_finite(values.to(at::kBFloat16), "x"), Error);
  }
}

}  // namespace
}  // namespace t2v
