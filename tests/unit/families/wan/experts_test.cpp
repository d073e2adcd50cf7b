#include "families/wan/experts.h"

#include <gtest/gtest.h>

namespace t2v {
namespace {

TEST(ExpertCalled, ByTheNameOfAFileOrItsFolder) {
  for (const char* name : {"wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors", "HighNoise/model.gguf",
                           "high_noise_model/diffusion_pytorch_model.safetensors",
                           "Wan2_2-T2V-A14B_HIGH_fp8_e4m3fn_scaled_KJ.safetensors", "wan22-i2v-high.gguf",
                           "Wan2.2-Lightning_T2V-A14B-4steps-lora_HIGH_fp16.safetensors"}) {
    EXPECT_EQ(expert_called(name), Expert::kHighNoise) << name;
  }
  EXPECT_EQ(expert_called("Wan2.2-Lightning_T2V-A14B-4steps-lora_LOW_fp16.safetensors"), Expert::kLowNoise);
  for (const char* name :
       {"low_angle_shot.safetensors", "wan2.1_t2v_high_quality.safetensors", "wan22_slow_motion.safetensors",
        "wan2.2_highlights.safetensors", "wan2.2_high_to_low.safetensors", "wan2.2/model.safetensors"}) {
    EXPECT_EQ(expert_called(name), Expert::kUnknown) << name;
  }
}

ModelInfo model_of(const char* first, const char* second) {
  ModelInfo model;
  model.parts["transformer"].file = first;
  if (*second != 0) model.parts["transformer_2"].file = second;
  return model;
}

TEST(LoneExpert, IsToldByItsName) {
  EXPECT_EQ(lone_expert(model_of("wan2.2_high_noise.gguf", "")), "the high-noise expert, by its name");
  EXPECT_EQ(lone_expert(model_of("low_noise_model/model.safetensors", "")),
            "the low-noise expert, by its name");
  EXPECT_EQ(lone_expert(model_of("wan2.1.safetensors", "")), "");
  EXPECT_EQ(lone_expert(model_of("wan2.2_high_noise.gguf", "other.gguf")), "");
}

}  // namespace
}  // namespace t2v
