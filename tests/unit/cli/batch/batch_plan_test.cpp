#include "cli/batch/batch_plan.h"

#include <gtest/gtest.h>

namespace t2v {
namespace {

CheckedRequest some_request() {
  CheckedRequest request;
  request.model.model = "/model";
  request.size = {.height = 32, .width = 48, .num_frames = 5, .fps = 16};
  return request;
}

TEST(BatchPlan, ThreadsTilesAndCachedEmbeddingsLeaveModelsLoaded) {
  const CheckedRequest request = some_request();
  CheckedRequest other = request;
  other.machine.threads = 2;
  other.machine.vae_tiling = true;
  other.machine.embeds_cache = "embeds";
  EXPECT_EQ(model_of(request), model_of(other));
  EXPECT_NE(kind_of(request), kind_of(other));
  other.machine.text_encoder_device = "cpu";
  EXPECT_NE(model_of(request), model_of(other));
}

TEST(BatchPlan, TheFrameRateIsNoPartOfTheShape) {
  const CheckedRequest request = some_request();
  CheckedRequest other = request;
  other.size.fps = 8;
  EXPECT_EQ(shape_of(request), shape_of(other));
  EXPECT_NE(kind_of(request), kind_of(other));
  other.size.num_frames = 9;
  EXPECT_NE(shape_of(request), shape_of(other));
}

}  // namespace
}  // namespace t2v
