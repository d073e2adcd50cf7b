#include "networks/text_encoders/clip_vision_cost.h"

#include <gtest/gtest.h>

#include "unit/run_costs.h"

namespace t2v {
namespace {

TEST(ImageCost, IsTheCostOfTheRun) {
  const CLIPVisionConfig config{.hidden_size = 256,
                                .intermediate_size = 512,
                                .num_hidden_layers = 3,
                                .num_attention_heads = 4,
                                .patch_size = 14};
  TensorList list;
  CLIPVisionModel(Weights::record(list), config);
  const CLIPVisionModel encoder(testing::random_weights(list), config);
  testing::expect_cost(encode_cost(config, 2, {}), [&] { encoder.forward(at::ones({2, 3, 224, 224})); });
}

TEST(ImageCost, IsKnownOfThePublishedModel) {
  const CLIPVisionConfig huge{.hidden_size = 1280,
                              .intermediate_size = 5120,
                              .num_hidden_layers = 32,
                              .num_attention_heads = 16,
                              .patch_size = 14};
  EXPECT_NEAR(encode_cost(huge, 1, {}).flops / 1e12, 0.32, 0.03);
}

}  // namespace
}  // namespace t2v
