#include "engine/planning/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/checkpoints/checkpoint.h"
#include "networks/transformers/transformer_wan.h"
#include "unit/published_models.h"

namespace t2v {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;
// 40 blocks of 1 GiB and 4 GiB of everything else.
const TransformerMemory kLarge{
    .blocks = {.all = 40 * kGiB, .largest = kGiB, .count = 40}, .control_blocks = {}, .others = 4 * kGiB};

TEST(MemoryPlan, KeepsEveryBlockUnlessAsked) {
  EXPECT_GE(plan_blocks(kLarge, "auto", std::nullopt).resident, 40);
  EXPECT_GE(plan_blocks(kLarge, "none", std::nullopt).resident, 40);
  EXPECT_GE(plan_blocks(kLarge, "auto", 44).resident, 40);
  EXPECT_GE(plan_blocks(kLarge, "cpu", 44).resident, 40);
}

TEST(MemoryPlan, KeepsAsManyBlocksAsFitBesideTheOneAtWorkAndTwoOnTheirWay) {
  const BlockResidency plan = plan_blocks(kLarge, "auto", 12.5);
  EXPECT_EQ(plan.resident, 5);
  EXPECT_EQ(plan.ahead, 2);
  EXPECT_EQ(plan.waiting, BlockResidency::Waiting::kHost);
  EXPECT_EQ(plan_blocks(kLarge, "auto", 7).resident, 0);
}

TEST(MemoryPlan, OffloadingWithoutALimitKeepsNone) {
  EXPECT_EQ(plan_blocks(kLarge, "cpu", std::nullopt).resident, 0);
  const BlockResidency plan = plan_blocks(kLarge, "disk", std::nullopt);
  EXPECT_EQ(plan.resident, 0);
  EXPECT_EQ(plan.waiting, BlockResidency::Waiting::kFile);
}

TEST(MemoryPlan, SaysHowMuchIsNeeded) {
  const auto message = [](const std::string& offload, double max_vram) -> std::string {
    try {
      plan_blocks(kLarge, offload, max_vram);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kResource);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message("auto", 6.5), ::testing::HasSubstr("7.00 GiB"));
  EXPECT_THAT(message("none", 43.5), ::testing::HasSubstr("44.00 GiB"));
}

TEST(MemoryPlan, CountsTheTensorsOfACheckpointAsTheyAreLoaded) {
  const Component transformer = Checkpoint::open({.model = T2V_FIXTURES "/tiny-wan"}).get("transformer");
  LoadOptions options{.placement = {at::kFloat, at::kCPU}, .keep_in_fp32 = {}};
  const uint64_t in_float32 = loaded_bytes(transformer, options);
  options.placement.dtype = at::kBFloat16;
  EXPECT_EQ(loaded_bytes(transformer, options), in_float32 / 2);
  options.keep_in_fp32 = {"scale_shift_table"};
  EXPECT_GT(loaded_bytes(transformer, options), in_float32 / 2);

  const TransformerMemory memory = TransformerMemory::of(transformer, options, 1000);
  EXPECT_EQ(memory.blocks.count, transformer.config.integer("num_layers", 0));
  EXPECT_EQ(memory.blocks.all, loaded_bytes(transformer, options, "blocks."));
  EXPECT_EQ(memory.blocks.all + memory.others, loaded_bytes(transformer, options) + 1000);
}

TEST(MemoryPlan, ReckonsWithTheLargestBlock) {
  Component blocks{.origin = "blocks", .config = no_config(), .files = {}, .tensors = {}};
  for (const int64_t size : {100, 300, 200}) {
    const std::string name = "blocks." + std::to_string(blocks.tensors.size()) + ".weight";
    blocks.tensors.emplace(
        name, TensorSource{.file = {}, .stored = {.format = NumberFormat::kF32, .shape = {size}}});
  }
  const LoadOptions options{.placement = {at::kFloat, at::kCPU}, .keep_in_fp32 = {}};
  const TransformerMemory memory = TransformerMemory::of(blocks, options, 0);
  EXPECT_EQ(memory.blocks.largest, 1200u);
  EXPECT_EQ(memory.blocks.all, 2400u);
  EXPECT_EQ(memory.blocks.count, 3);
}

// Both branches of VACE have blocks on their way.
TEST(MemoryPlan, StreamsTheBlocksOfAControlBranch) {
  TransformerMemory memory = kLarge;
  memory.control_blocks = {.all = 8 * kGiB, .largest = kGiB, .count = 8};
  EXPECT_EQ(memory.on_device(40), 52 * kGiB);
  EXPECT_EQ(memory.on_device(20), (4 + 20 + 3 + 8) * kGiB);
  EXPECT_EQ(memory.on_device(0), (4 + 3 + 3) * kGiB);
  EXPECT_EQ(memory.waiting(0), 48 * kGiB);
  EXPECT_GE(plan_blocks(memory, "auto", 52).resident, 40);
  EXPECT_EQ(plan_blocks(memory, "auto", 35).resident, 20);
  EXPECT_EQ(plan_blocks(memory, "auto", 10).resident, 0);
  EXPECT_THROW(plan_blocks(memory, "auto", 9.9), Error);
}

/// The plan for a published transformer in bfloat16 at 832x480 and 81 frames, beside the Wan2.1 VAE in
/// float32.
BlockResidency plan_published(const std::string& name, double max_vram) {
  const nlohmann::json model = testing::published_model(name);
  const Component transformer = testing::hollow_component(model);
  const LoadOptions options{.placement = {at::kBFloat16, at::kCPU},
                            .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()};
  const auto vae = AutoencoderKLWanConfig::from_config(Config(nlohmann::json::object(), "vae"));
  constexpr uint64_t kVaeBytes = 507'570'124;
  const uint64_t activations =
      activation_bytes(WanTransformer3DConfig::from_config(Config(model["config"], name)), vae,
                       {.num_frames = 81, .height = 480, .width = 832}, {at::kBFloat16, at::kCUDA});
  return plan_blocks(TransformerMemory::of(transformer, options, kVaeBytes + activations), "auto", max_vram);
}

TEST(MemoryPlan, FitsThePublishedModels) {
  EXPECT_GE(plan_published("Wan2.1-T2V-14B", 12).resident, 1);
  EXPECT_LT(plan_published("Wan2.1-T2V-14B", 12).resident, 40);
  EXPECT_GE(plan_published("Wan2.1-T2V-14B", 48).resident, 40);
  EXPECT_GE(plan_published("Wan2.1-T2V-1.3B", 6).resident, 30);
  EXPECT_THROW(plan_published("Wan2.1-T2V-14B", 6), Error);
}

}  // namespace
}  // namespace t2v
