#include "pipelines/clip_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../published_models.h"
#include "checkpoints/expected_tensors.h"

namespace t2v {
namespace {

constexpr double kGiB = 1 << 30;

Component hollow(const nlohmann::json& model) {
  Component component = testing::hollow_component(model);
  component.config = Config(model["config"], "config.json");
  return component;
}

/// A published transformer beside the text encoder and the VAE of Wan2.1.
Checkpoint published(const std::string& transformer) {
  nlohmann::json vae = {{"config", nlohmann::json::object()}, {"tensors", nlohmann::json::object()}};
  for (const auto& [name, shape] : expected_tensors("vae", Config(nlohmann::json::object(), "vae"))) {
    vae["tensors"][name] = shape;
  }
  Checkpoint checkpoint{
      .origin = "", .components = {}, .tokenizer = {}, .scheduler = no_config(), .boundary_ratio = {}};
  checkpoint.components.emplace("transformer", hollow(testing::published_model(transformer)));
  checkpoint.components.emplace("text_encoder", hollow(testing::published_model("umt5-xxl")));
  checkpoint.components.emplace("vae", hollow(vae));
  return checkpoint;
}

GenerateRequest request_480p81() {
  GenerateRequest request;
  request.width = 832;
  request.height = 480;
  request.num_frames = 81;
  request.num_inference_steps = 50;
  request.guidance_scale = 5;
  request.dtype = "bfloat16";
  return request;
}

PlannedMachine gpu(double gib) {
  return {.device = at::Device(at::kCUDA, 0),
          .device_name = "a GPU",
          .gpu_total = static_cast<uint64_t>(gib * kGiB),
          .host_available = uint64_t{64} << 30,
          .host_taken = uint64_t{1} << 30};
}

double gpu_gib(const Plan& plan) {
  int64_t most = 0;
  for (const PlannedPhase& phase : plan.phases) most = std::max(most, phase.gpu_bytes);
  return static_cast<double>(most) / kGiB;
}

TEST(ClipPlan, FourteenBillionInTwelveGiB) {
  const Checkpoint checkpoint = published("Wan2.1-T2V-14B");
  const Plan whole = plan_clip(checkpoint, request_480p81(), gpu(80));
  EXPECT_EQ(whole.resident_blocks, 40);
  EXPECT_GT(gpu_gib(whole), 27);  // of weights alone
  EXPECT_EQ(whole.tokens, 32760);
  EXPECT_EQ(whole.forwards, 100);

  GenerateRequest limited = request_480p81();
  limited.max_vram = 12;
  const Plan plan = plan_clip(checkpoint, limited, gpu(12));
  EXPECT_EQ(plan.needed_flags, "");
  EXPECT_LE(gpu_gib(plan), 12);
  EXPECT_GE(plan.resident_blocks, 1);
  EXPECT_LT(plan.resident_blocks, 40);
  EXPECT_EQ(plan.waiting, "cpu");
  EXPECT_NO_THROW(expect_memory(plan));
}

TEST(ClipPlan, TheSmallModelInSixGiB) {
  GenerateRequest limited = request_480p81();
  limited.max_vram = 6;
  const Plan plan = plan_clip(published("Wan2.1-T2V-1.3B"), limited, gpu(6));
  EXPECT_LE(gpu_gib(plan), 6);
  EXPECT_THAT(plan.needed_flags, ::testing::AnyOf("", "--vae-tiling"));
}

TEST(ClipPlan, ChoosesTheCheapestSettingThatFits) {
  const Checkpoint checkpoint = published("Wan2.1-T2V-1.3B");
  GenerateRequest request = request_480p81();
  request.dtype = "float32";
  const auto flags = [&](double gib) {
    request.max_vram = gib;
    return plan_clip(checkpoint, request, gpu(gib)).needed_flags;
  };
  const double least = [&] {
    request.vae_tiling = true;
    request.offload = "cpu";
    const double needed = gpu_gib(plan_clip(checkpoint, request, gpu(80)));
    request.vae_tiling = false;
    request.offload = "auto";
    return needed;
  }();
  EXPECT_EQ(flags(40), "");
  EXPECT_EQ(flags(least + 0.01), "--vae-tiling");
  EXPECT_EQ(flags(least - 0.3), "--vae-tiling --dtype bfloat16");
  EXPECT_THROW(flags(1), Error);
}

TEST(ClipPlan, RefusesWhatIsClearlyTooLarge) {
  GenerateRequest request = request_480p81();
  const Checkpoint checkpoint = published("Wan2.1-T2V-1.3B");
  EXPECT_NO_THROW(expect_memory(plan_clip(checkpoint, request, gpu(80))));
  EXPECT_THROW(expect_memory(plan_clip(checkpoint, request, gpu(2))), Error);
  request.width = request.height = 16384;
  try {
    PlannedMachine machine = gpu(0);
    machine.device = at::kCPU;
    expect_memory(plan_clip(checkpoint, request, machine));
    FAIL() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResource);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("GiB of memory"));
  }
}

}  // namespace
}  // namespace t2v
