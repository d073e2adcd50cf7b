#include "tensors/weights/block_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "files/checkpoints/checkpoint.h"

namespace t2v {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;
// 40 blocks of 1 GiB and 4 GiB of everything else.
const StreamedMemory kLarge{.stacks = {{.all = 40 * kGiB, .largest = kGiB, .count = 40}}, .others = 4 * kGiB};

TEST(BlockPlan, KeepsEveryBlockUnlessAsked) {
  EXPECT_GE(plan_blocks(kLarge, "auto", std::nullopt).resident, 40);
  EXPECT_GE(plan_blocks(kLarge, "none", std::nullopt).resident, 40);
  EXPECT_GE(plan_blocks(kLarge, "auto", 44).resident, 40);
  EXPECT_GE(plan_blocks(kLarge, "cpu", 44).resident, 40);
}

TEST(BlockPlan, KeepsAsManyBlocksAsFitBesideTheOneAtWorkAndTwoOnTheirWay) {
  const BlockResidency plan = plan_blocks(kLarge, "auto", 12.5);
  EXPECT_EQ(plan.resident, 5);
  EXPECT_EQ(plan.ahead, 2);
  EXPECT_EQ(plan.waiting, BlockResidency::Waiting::kHost);
  EXPECT_EQ(plan_blocks(kLarge, "auto", 7).resident, 0);
}

TEST(BlockPlan, OffloadingWithoutALimitKeepsNone) {
  EXPECT_EQ(plan_blocks(kLarge, "cpu", std::nullopt).resident, 0);
  const BlockResidency plan = plan_blocks(kLarge, "disk", std::nullopt);
  EXPECT_EQ(plan.resident, 0);
  EXPECT_EQ(plan.waiting, BlockResidency::Waiting::kFile);
}

TEST(BlockPlan, SaysHowMuchIsNeeded) {
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

TEST(BlockPlan, CountsTheTensorsOfACheckpointAsTheyAreLoaded) {
  const Component transformer = Checkpoint::open({.model = T2V_FIXTURES "/tiny-wan"}).get("transformer");
  LoadOptions options{.placement = {at::kFloat, at::kCPU}, .keep_in_fp32 = {}};
  const uint64_t in_float32 = loaded_bytes(transformer, options);
  options.placement.dtype = at::kBFloat16;
  EXPECT_EQ(loaded_bytes(transformer, options), in_float32 / 2);
  options.keep_in_fp32 = {"scale_shift_table"};
  EXPECT_GT(loaded_bytes(transformer, options), in_float32 / 2);

  const StreamedMemory memory = StreamedMemory::of(transformer, options, {"blocks."}, 1000);
  EXPECT_EQ(memory.stacks[0].count, transformer.config.integer("num_layers", 0));
  EXPECT_EQ(memory.stacks[0].all, loaded_bytes(transformer, options, "blocks."));
  EXPECT_EQ(memory.stacks[0].all + memory.others, loaded_bytes(transformer, options) + 1000);
}

TEST(BlockPlan, ReckonsWithTheLargestBlock) {
  Component blocks{.origin = "blocks", .config = no_config(), .files = {}, .tensors = {}};
  for (const int64_t size : {100, 300, 200}) {
    const std::string name = "blocks." + std::to_string(blocks.tensors.size()) + ".weight";
    blocks.tensors.emplace(
        name, TensorSource{.file = {}, .stored = {.format = NumberFormat::kF32, .shape = {size}}});
  }
  const LoadOptions options{.placement = {at::kFloat, at::kCPU}, .keep_in_fp32 = {}};
  const StreamedMemory memory = StreamedMemory::of(blocks, options, {"blocks."}, 0);
  EXPECT_EQ(memory.stacks[0].largest, 1200u);
  EXPECT_EQ(memory.stacks[0].all, 2400u);
  EXPECT_EQ(memory.stacks[0].count, 3);
}

// Both branches of VACE have blocks on their way.
TEST(BlockPlan, StreamsTheBlocksOfAControlBranch) {
  StreamedMemory memory = kLarge;
  memory.stacks.push_back({.all = 8 * kGiB, .largest = kGiB, .count = 8});
  EXPECT_EQ(memory.on_device(40), 52 * kGiB);
  EXPECT_EQ(memory.on_device(20), (4 + 20 + 3 + 8) * kGiB);
  EXPECT_EQ(memory.on_device(0), (4 + 3 + 3) * kGiB);
  EXPECT_EQ(memory.waiting(0), 48 * kGiB);
  EXPECT_GE(plan_blocks(memory, "auto", 52).resident, 40);
  EXPECT_EQ(plan_blocks(memory, "auto", 35).resident, 20);
  EXPECT_EQ(plan_blocks(memory, "auto", 10).resident, 0);
  EXPECT_THROW(plan_blocks(memory, "auto", 9.9), Error);
}

}  // namespace
}  // namespace t2v
