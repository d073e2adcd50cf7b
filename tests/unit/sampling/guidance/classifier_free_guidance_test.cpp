#include "sampling/guidance/classifier_free_guidance.h"

#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace t2v {
namespace {

Tensor tensor(const nlohmann::json& list, at::ScalarType dtype) {
  const auto values = list.get<std::vector<float>>();
  return at::tensor(at::ArrayRef<float>(values)).to(dtype);
}

// tests/fixtures/guidance is made by scripts/fixtures/make_schedulers.py. Bit for bit: bfloat16 rounds after
// each operation.
TEST(ClassifierFreeGuidance, EqualsTheReference) {
  std::ifstream stream(std::string(T2V_FIXTURES) + "/guidance/classifier_free_guidance.json");
  const nlohmann::json entries = nlohmann::json::parse(stream);
  ASSERT_EQ(entries.size(), 6U);
  for (const nlohmann::json& entry : entries) {
    const at::ScalarType dtype = parse_dtype(entry.at("dtype"));
    const Tensor guided = classifier_free_guidance(
        tensor(entry.at("cond"), dtype), tensor(entry.at("uncond"), dtype), entry.at("guidance_scale"));
    EXPECT_EQ(guided.scalar_type(), dtype);
    EXPECT_TRUE(at::equal(guided, tensor(entry.at("guided"), dtype))) << entry.at("guidance_scale");
  }
}

TEST(ClassifierFreeGuidance, IsActiveOnlyAboveOne) {
  EXPECT_FALSE(is_guided(0.0));
  EXPECT_FALSE(is_guided(1.0));
  EXPECT_TRUE(is_guided(1.0001));
}

}  // namespace
}  // namespace t2v
