#include "engine/pipelines/wan_cost_model.h"

#include <gtest/gtest.h>

#include "tensors/weights/block_plan.h"
#include "unit/published_checkpoint.h"

namespace t2v {
namespace {

using testing::published_checkpoint;
using testing::request_480p81;

const Placement kGpu{at::kBFloat16, at::kCUDA};

std::unique_ptr<CostModel> cost_model(const Checkpoint& checkpoint, const CheckedRequest& request) {
  return make_wan_cost_model(checkpoint, request, kGpu);
}

int64_t sampling_bytes_480p81(const Checkpoint& checkpoint, const CheckedRequest& request) {
  return static_cast<int64_t>(cost_model(checkpoint, request)->sampling("transformer").bytes);
}

TEST(WanCostModelTest, CountsTheControlBranchOfVACE) {
  Checkpoint checkpoint = published_checkpoint("Wan2.1-VACE-1.3B");
  CheckedRequest request = request_480p81();
  const int64_t without = sampling_bytes_480p81(checkpoint, request);
  checkpoint.index = Config({{"_class_name", "WanVACEPipeline"}}, "model_index.json");
  const int64_t stream = int64_t{32760} * 1536 * 4, control_latents = int64_t{96} * 21 * 60 * 104 * 4;
  EXPECT_GT(sampling_bytes_480p81(checkpoint, request), without + stream);
  EXPECT_LT(sampling_bytes_480p81(checkpoint, request), without + 2 * stream + control_latents);
  request.conditions.reference_images = {"a.png", "b.png"};
  EXPECT_EQ(cost_model(checkpoint, request)->latents().tokens, 32760 / 21 * 23);
}

TEST(WanCostModelTest, CountsWhatAStepCacheRemembers) {
  const Checkpoint checkpoint = published_checkpoint("Wan2.1-T2V-14B");
  CheckedRequest request = request_480p81();
  const int64_t without = sampling_bytes_480p81(checkpoint, request);
  request.caching.mode = "magcache";
  const int64_t residual = int64_t{32760} * 5120 * 4;
  EXPECT_EQ(sampling_bytes_480p81(checkpoint, request), without + 2 * residual);
  request.sampling.guidance_scale = 1;
  EXPECT_EQ(sampling_bytes_480p81(checkpoint, request), without + residual);
  request.caching.mode = "easycache";
  EXPECT_LT(sampling_bytes_480p81(checkpoint, request), without + residual / 10);
}

TEST(WanCostModelTest, CountsAMatrixOfFp8InTheNumbersItIsComputedIn) {
  const Checkpoint checkpoint = published_checkpoint("Wan2.1-T2V-14B");
  CheckedRequest request = request_480p81();
  const int64_t without = sampling_bytes_480p81(checkpoint, request);
  request.machine.dtype = "fp8";
  EXPECT_EQ(sampling_bytes_480p81(checkpoint, request), without + int64_t{13824} * 5120 * (4 + 2));
}

TEST(WanCostModelTest, CountsAFrameThatIsDecodedForAPreview) {
  const auto more_with_preview = [](const char* model, int64_t frames) {
    const Checkpoint checkpoint = published_checkpoint(model);
    CheckedRequest request = request_480p81();
    request.size.num_frames = frames;
    const int64_t without = sampling_bytes_480p81(checkpoint, request);
    request.outputs.preview = "look.mp4";
    return sampling_bytes_480p81(checkpoint, request) - without;
  };
  // A block takes more, which is not at work meanwhile.
  EXPECT_EQ(more_with_preview("Wan2.1-T2V-14B", 81), 0);
  // A tensor of the last level.
  EXPECT_GT(more_with_preview("Wan2.1-T2V-14B", 5), int64_t{832} * 480 * 96 * 4);
}

/// The blocks of a published transformer in bfloat16 that stay at 832x480 and 81 frames.
int64_t resident_blocks(const std::string& name, double max_vram) {
  const Checkpoint checkpoint = published_checkpoint(name);
  const CheckedRequest request = request_480p81();
  const auto costs = cost_model(checkpoint, request);
  const ComponentUse use = costs->use("transformer");
  const uint64_t beside = bytes_beside(*costs, checkpoint, "transformer", kGpu) - kCudaRuntime;
  return plan_blocks(StreamedMemory::of(checkpoint.get("transformer"), use.options, use.blocks, beside),
                     "auto", max_vram)
      .resident;
}

TEST(WanCostModelTest, FitsThePublishedModels) {
  EXPECT_GE(resident_blocks("Wan2.1-T2V-14B", 12), 1);
  EXPECT_LT(resident_blocks("Wan2.1-T2V-14B", 12), 40);
  EXPECT_GE(resident_blocks("Wan2.1-T2V-14B", 48), 40);
  EXPECT_GE(resident_blocks("Wan2.1-T2V-1.3B", 6), 30);
  EXPECT_THROW(resident_blocks("Wan2.1-T2V-14B", 6), Error);
}

}  // namespace
}  // namespace t2v
