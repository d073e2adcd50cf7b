#include "engine/planning/clip_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/planning/memory_limit.h"
#include "networks/autoencoders/autoencoder_kl_wan_cost.h"
#include "unit/published_checkpoint.h"

namespace t2v {
namespace {

using testing::published_checkpoint;
using testing::request_480p81;

constexpr double kGiB = 1 << 30;

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

/// "vae_tiling=true dtype=bfloat16"
std::string needed(const Plan& plan) {
  std::string text;
  for (const auto& [name, value] : plan.needed_settings) {
    text += (text.empty() ? "" : " ") + name + '=' + value;
  }
  return text;
}

TEST(ClipPlan, FourteenBillionInTwelveGiB) {
  const Checkpoint checkpoint = published_checkpoint("Wan2.1-T2V-14B");
  const Plan whole = plan_clip(checkpoint, request_480p81(), gpu(80));
  EXPECT_EQ(whole.blocks.resident, 40);
  EXPECT_GT(gpu_gib(whole), 27);  // of weights alone
  EXPECT_EQ(whole.latents.tokens, 32760);
  EXPECT_EQ(whole.forwards, 100);

  CheckedRequest limited = request_480p81();
  limited.machine.max_vram = 12;
  const Plan plan = plan_clip(checkpoint, limited, gpu(12));
  EXPECT_EQ(needed(plan), "");
  EXPECT_LE(gpu_gib(plan), 12);
  EXPECT_GE(plan.blocks.resident, 1);
  EXPECT_LT(plan.blocks.resident, 40);
  EXPECT_EQ(plan.blocks.waiting, "cpu");
  EXPECT_NO_THROW(expect_memory(plan));
}

TEST(ClipPlan, TheSmallModelInSixGiB) {
  CheckedRequest limited = request_480p81();
  limited.machine.max_vram = 6;
  const Plan plan = plan_clip(published_checkpoint("Wan2.1-T2V-1.3B"), limited, gpu(6));
  EXPECT_LE(gpu_gib(plan), 6);
  EXPECT_THAT(needed(plan), ::testing::AnyOf("", "vae_tiling=true"));
}

TEST(ClipPlan, ChoosesTheCheapestSettingThatFits) {
  const Checkpoint checkpoint = published_checkpoint("Wan2.1-T2V-1.3B");
  CheckedRequest request = request_480p81();
  request.machine.dtype = "float32";
  const auto settings = [&](double gib) {
    request.machine.max_vram = gib;
    return needed(plan_clip(checkpoint, request, gpu(gib)));
  };
  const double least = [&] {
    request.machine.vae_tiling = true;
    request.machine.offload = "cpu";
    const double needed = gpu_gib(plan_clip(checkpoint, request, gpu(80)));
    request.machine.vae_tiling = false;
    request.machine.offload = "auto";
    return needed;
  }();
  EXPECT_EQ(settings(40), "");
  EXPECT_EQ(settings(least + 0.01), "vae_tiling=true");
  EXPECT_EQ(settings(least - 0.3), "vae_tiling=true dtype=bfloat16");
  EXPECT_THROW(settings(1), Error);
}

std::string refusal(const Plan& plan) {
  try {
    expect_memory(plan);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kResource);
    return error.what();
  }
  return "";
}

TEST(ClipPlan, RefusesMoreThanMaxVramAndSaysWhatFits) {
  CheckedRequest request = request_480p81();
  request.machine.dtype = "float32";
  request.machine.offload = "cpu";
  const Checkpoint checkpoint = published_checkpoint("Wan2.1-T2V-1.3B");
  const double needed = gpu_gib(plan_clip(checkpoint, request, gpu(80)));
  request.machine.max_vram = needed + 0.1;
  EXPECT_EQ(refusal(plan_clip(checkpoint, request, gpu(80))), "");
  request.machine.max_vram = needed - 0.1;
  EXPECT_THAT(refusal(plan_clip(checkpoint, request, gpu(80))),
              ::testing::HasSubstr("add `vae_tiling` true"));
}

TEST(ClipPlan, SaysWhatFitsASmallGpu) {
  const Plan plan = plan_clip(published_checkpoint("Wan2.1-T2V-14B"), request_480p81(), gpu(16.05));
  EXPECT_EQ(needed(plan), "max_vram=16");
  EXPECT_LE(gpu_gib(plan), 16);
  EXPECT_THAT(refusal(plan), ::testing::HasSubstr("add `max_vram` 16"));
}

const PlannedPhase* phase_of(const Plan& plan, const std::string& name) {
  for (const PlannedPhase& phase : plan.phases) {
    if (phase.name == name) return &phase;
  }
  return nullptr;
}

TEST(ClipPlan, CountsTheEncodingOfImages) {
  EXPECT_EQ(phase_of(plan_clip(published_checkpoint("Wan2.1-T2V-14B"), request_480p81(), gpu(80)), "images"),
            nullptr);
  Checkpoint checkpoint = published_checkpoint("Wan2.1-I2V-14B");
  checkpoint.index = Config({{"_class_name", "WanImageToVideoPipeline"}}, "model_index.json");
  checkpoint.components.emplace("image_encoder", testing::hollow(testing::published_model("clip-vit-h-14")));
  CheckedRequest request = request_480p81();
  request.conditions.image = "x.png";
  const Plan plan = plan_clip(checkpoint, request, gpu(80));
  const PlannedPhase* images = phase_of(plan, "images");
  ASSERT_NE(images, nullptr);
  const auto vae = AutoencoderKLWanConfig::from_config(checkpoint.get("vae").config);
  const Cost encoding = encode_cost(vae, {81, 480, 832}, gpu_allocation());
  EXPECT_GT(images->gpu_bytes, encoding.peak_bytes);
  EXPECT_GT(images->tflop, encoding.flops / 1e12);
  PlannedMachine machine = gpu(0);
  machine.device = at::kCPU;
  EXPECT_GT(phase_of(plan_clip(checkpoint, request, machine), "images")->host_bytes,
            images->gpu_bytes - static_cast<int64_t>(kCudaRuntime));
}

// Of latents a checkpoint with nothing but a VAE makes a clip.
TEST(ClipPlan, PlansDecodingAlone) {
  Checkpoint checkpoint = published_checkpoint("Wan2.1-T2V-1.3B");
  CheckedRequest request = request_480p81();
  const Plan whole = plan_clip(checkpoint, request, gpu(80));
  checkpoint.components.erase("transformer");
  checkpoint.components.erase("text_encoder");
  const Plan plan =
      plan_decoding(checkpoint, {.latents = {}, .size = request.size, .machine = request.machine}, gpu(80));
  EXPECT_EQ(plan.phases.size(), 3u);
  EXPECT_EQ(plan.latents.frames, 21);
  EXPECT_EQ(plan.phases.back().gpu_bytes, whole.phases.back().gpu_bytes);
  EXPECT_LT(plan.phases.back().host_bytes, whole.phases.back().host_bytes);
}

TEST(ClipPlan, RefusesWhatIsClearlyTooLarge) {
  CheckedRequest request = request_480p81();
  const Checkpoint checkpoint = published_checkpoint("Wan2.1-T2V-1.3B");
  EXPECT_NO_THROW(expect_memory(plan_clip(checkpoint, request, gpu(80))));
  EXPECT_THROW(expect_memory(plan_clip(checkpoint, request, gpu(2))), Error);
  request.size.width = request.size.height = 16384;
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
