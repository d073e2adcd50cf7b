#include "engine/planning/clip_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/planning/fit_plan.h"
#include "engine/planning/memory_plan.h"
#include "engine/planning/vae_memory.h"
#include "files/checkpoints/expected_tensors.h"
#include "unit/published_models.h"

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
  Checkpoint checkpoint{.family = &wan_family(), .origin = ""};
  checkpoint.components.emplace("transformer", hollow(testing::published_model(transformer)));
  checkpoint.components.emplace("text_encoder", hollow(testing::published_model("umt5-xxl")));
  checkpoint.components.emplace("vae", hollow(vae));
  return checkpoint;
}

CheckedRequest request_480p81() {
  CheckedRequest request;
  request.size.width = 832;
  request.size.height = 480;
  request.size.num_frames = 81;
  request.sampling.num_inference_steps = 50;
  request.sampling.guidance_scale = 5;
  request.machine.dtype = "bfloat16";
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
  EXPECT_EQ(whole.blocks.resident, 40);
  EXPECT_GT(gpu_gib(whole), 27);  // of weights alone
  EXPECT_EQ(whole.latents.tokens, 32760);
  EXPECT_EQ(whole.forwards, 100);

  CheckedRequest limited = request_480p81();
  limited.machine.max_vram = 12;
  const Plan plan = plan_clip(checkpoint, limited, gpu(12));
  EXPECT_EQ(plan.needed_flags, "");
  EXPECT_LE(gpu_gib(plan), 12);
  EXPECT_GE(plan.blocks.resident, 1);
  EXPECT_LT(plan.blocks.resident, 40);
  EXPECT_EQ(plan.blocks.waiting, "cpu");
  EXPECT_NO_THROW(expect_memory(plan));
}

TEST(ClipPlan, TheSmallModelInSixGiB) {
  CheckedRequest limited = request_480p81();
  limited.machine.max_vram = 6;
  const Plan plan = plan_clip(published("Wan2.1-T2V-1.3B"), limited, gpu(6));
  EXPECT_LE(gpu_gib(plan), 6);
  EXPECT_THAT(plan.needed_flags, ::testing::AnyOf("", "--vae-tiling"));
}

TEST(ClipPlan, ChoosesTheCheapestSettingThatFits) {
  const Checkpoint checkpoint = published("Wan2.1-T2V-1.3B");
  CheckedRequest request = request_480p81();
  request.machine.dtype = "float32";
  const auto flags = [&](double gib) {
    request.machine.max_vram = gib;
    return plan_clip(checkpoint, request, gpu(gib)).needed_flags;
  };
  const double least = [&] {
    request.machine.vae_tiling = true;
    request.machine.offload = "cpu";
    const double needed = gpu_gib(plan_clip(checkpoint, request, gpu(80)));
    request.machine.vae_tiling = false;
    request.machine.offload = "auto";
    return needed;
  }();
  EXPECT_EQ(flags(40), "");
  EXPECT_EQ(flags(least + 0.01), "--vae-tiling");
  EXPECT_EQ(flags(least - 0.3), "--vae-tiling --dtype bfloat16");
  EXPECT_THROW(flags(1), Error);
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
  const Checkpoint checkpoint = published("Wan2.1-T2V-1.3B");
  const double needed = gpu_gib(plan_clip(checkpoint, request, gpu(80)));
  request.machine.max_vram = needed + 0.1;
  EXPECT_EQ(refusal(plan_clip(checkpoint, request, gpu(80))), "");
  request.machine.max_vram = needed - 0.1;
  EXPECT_THAT(refusal(plan_clip(checkpoint, request, gpu(80))), ::testing::HasSubstr("add --vae-tiling"));
}

TEST(ClipPlan, SaysWhatFitsASmallGpu) {
  const Plan plan = plan_clip(published("Wan2.1-T2V-14B"), request_480p81(), gpu(16.05));
  EXPECT_EQ(plan.needed_flags, "--max-vram 16");
  EXPECT_LE(gpu_gib(plan), 16);
  EXPECT_THAT(refusal(plan), ::testing::HasSubstr("add --max-vram 16"));
}

const PlannedPhase* phase_of(const Plan& plan, const std::string& name) {
  for (const PlannedPhase& phase : plan.phases) {
    if (phase.name == name) return &phase;
  }
  return nullptr;
}

TEST(ClipPlan, CountsTheEncodingOfImages) {
  EXPECT_EQ(phase_of(plan_clip(published("Wan2.1-T2V-14B"), request_480p81(), gpu(80)), "images"), nullptr);
  Checkpoint checkpoint = published("Wan2.1-I2V-14B");
  checkpoint.index = Config({{"_class_name", "WanImageToVideoPipeline"}}, "model_index.json");
  checkpoint.components.emplace("image_encoder", hollow(testing::published_model("clip-vit-h-14")));
  CheckedRequest request = request_480p81();
  request.conditions.image = "x.png";
  const Plan plan = plan_clip(checkpoint, request, gpu(80));
  const PlannedPhase* images = phase_of(plan, "images");
  ASSERT_NE(images, nullptr);
  const auto vae = AutoencoderKLWanConfig::from_config(checkpoint.get("vae").config);
  EXPECT_GT(images->gpu_bytes, encode_bytes(vae, {81, 480, 832}, gpu_allocation()));
  EXPECT_GT(images->tflop, encode_flops(vae, {81, 480, 832}) / 1e12);
  PlannedMachine machine = gpu(0);
  machine.device = at::kCPU;
  EXPECT_GT(phase_of(plan_clip(checkpoint, request, machine), "images")->host_bytes,
            images->gpu_bytes - static_cast<int64_t>(kCudaRuntime));
}

int64_t sampling_bytes_480p81(const Checkpoint& checkpoint, const CheckedRequest& request) {
  return static_cast<int64_t>(sampling_bytes(checkpoint, "transformer", request, {at::kBFloat16, at::kCUDA}));
}

TEST(ClipPlan, CountsTheControlBranchOfVACE) {
  Checkpoint checkpoint = published("Wan2.1-VACE-1.3B");
  CheckedRequest request = request_480p81();
  const int64_t without = sampling_bytes_480p81(checkpoint, request);
  checkpoint.index = Config({{"_class_name", "WanVACEPipeline"}}, "model_index.json");
  const int64_t stream = int64_t{32760} * 1536 * 4;
  EXPECT_GT(sampling_bytes_480p81(checkpoint, request), without + stream);
  EXPECT_LT(sampling_bytes_480p81(checkpoint, request), without + 2 * stream);
  request.conditions.reference_images = {"a.png", "b.png"};
  EXPECT_EQ(plan_clip(checkpoint, request, gpu(80)).latents.tokens, 32760 / 21 * 23);
}

TEST(ClipPlan, CountsWhatAStepCacheRemembers) {
  const Checkpoint checkpoint = published("Wan2.1-T2V-14B");
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

TEST(ClipPlan, CountsAMatrixOfFp8InTheNumbersItIsComputedIn) {
  const Checkpoint checkpoint = published("Wan2.1-T2V-14B");
  CheckedRequest request = request_480p81();
  const int64_t without = sampling_bytes_480p81(checkpoint, request);
  request.machine.dtype = "fp8";
  EXPECT_EQ(sampling_bytes_480p81(checkpoint, request), without + int64_t{13824} * 5120 * (4 + 2));
}

TEST(ClipPlan, CountsAFrameThatIsDecodedForAPreview) {
  const auto more_with_preview = [](const char* model, int64_t frames) {
    const Checkpoint checkpoint = published(model);
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

// Of latents a checkpoint with nothing but a VAE makes a clip.
TEST(ClipPlan, PlansDecodingAlone) {
  Checkpoint checkpoint = published("Wan2.1-T2V-1.3B");
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
  const Checkpoint checkpoint = published("Wan2.1-T2V-1.3B");
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
