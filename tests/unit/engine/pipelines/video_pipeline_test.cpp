#include "engine/pipelines/video_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/config.h"
#include "engine/clips/read_visual_inputs.h"
#include "engine/pipelines/latent_preview.h"
#include "engine/pipelines/pixels.h"
#include "engine/pipelines/prompt_encoder.h"
#include "engine/pipelines/registry.h"
#include "networks/autoencoders/autoencoder_kl_wan.h"
#include "sampling/names/samplers.h"
#include "tensors/weights/weights.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

const fs::path kFixtures = T2V_FIXTURES;
const fs::path kCases = kFixtures / "pipelines";

void use_sampler(const std::string& name, const Config& scheduler, CheckedSampling& sampling) {
  sampling.sampler = name;
  sampling.flow_shift = shift_of(scheduler, sampler_named(name));
}

/// The request of a case that scripts/fixtures/make_pipelines.py rendered.
CheckedRequest read_request(const Config& settings) {
  const auto number = [&](const char* key) {
    return settings.has(key) ? std::optional(settings.number(key, 0)) : std::nullopt;
  };
  const auto file = [&](const char* key) {
    return settings.has(key) ? kCases / settings.text(key, "") : fs::path();
  };
  CheckedRequest request;
  request.model.model = kFixtures / settings.text("checkpoint", "");
  request.prompt = settings.text("prompt", "");
  request.negative_prompt = settings.text("negative_prompt", "");
  request.size.height = settings.integer("height", 0);
  request.size.width = settings.integer("width", 0);
  request.size.num_frames = settings.integer("num_frames", 0);
  request.sampling.num_inference_steps = settings.integer("num_inference_steps", 0);
  request.sampling.guidance_scale = settings.number("guidance_scale", 5);
  request.sampling.guidance_scale_2 = number("guidance_scale_2");
  request.conditions.conditioning_scale = number("conditioning_scale");
  request.sampling.seed = settings.json().at("seed").get<uint64_t>();
  const Config scheduler = Checkpoint::open({.model = request.model.model}).scheduler;
  use_sampler(settings.text("sampler", sampler_of(scheduler).name), scheduler, request.sampling);
  request.conditions.image = file("image");
  request.conditions.end_image = file("last_image");
  request.conditions.control_video = file("video");
  request.conditions.control_mask = file("mask");
  if (settings.has("reference_images")) {
    for (const auto& name : settings.json().at("reference_images"))
      request.conditions.reference_images.push_back(kCases / name.get<std::string>());
  }
  return request;
}

CheckedRequest read_request(const std::string& name) {
  return read_request(Config::read(kCases / (name + ".json")));
}

std::unique_ptr<VideoPipeline> make(const CheckedRequest& request, ModelStore& models,
                                    const RunControl& control, at::ScalarType dtype = at::kFloat,
                                    ComingClips coming = {}) {
  Checkpoint checkpoint = Checkpoint::open({.model = request.model.model});
  VisualInputs inputs = read_visual_inputs(request.conditions, request.size, checkpoint);
  return make_pipeline(
      {std::move(checkpoint), {dtype, at::kCPU}, request, std::move(inputs), std::move(coming)}, models,
      control);
}

Tensor sample(VideoPipeline& pipeline) { return sample_all(pipeline).at(kVideoLatents); }

struct Rendered {
  Tensor latents;
  Tensor frames;  ///< [count, height, width, 3] as float
};

Rendered render(const CheckedRequest& request, at::ScalarType dtype = at::kFloat) {
  const RunControl control;
  ModelStore models;
  const auto pipeline = make(request, models, control, dtype);
  const Latents latents = sample_all(*pipeline);
  Rendered rendered{latents.at(kVideoLatents), {}};
  std::vector<Tensor> chunks;
  pipeline->decode(latents, [&](const Frames& frames) {
    const Tensor rgb = at::empty({frames.count, frames.height, frames.width, 3}, at::kByte);
    std::copy(frames.rgb.begin(), frames.rgb.end(), rgb.data_ptr<uint8_t>());
    chunks.push_back(rgb.to(at::kFloat));
  });
  rendered.frames = at::cat(chunks);
  return rendered;
}

double relative_l2(const Tensor& actual, const Tensor& expected) {
  return ((actual - expected).norm() / expected.norm()).item<double>();
}

class VideoPipelineTest : public ::testing::TestWithParam<const char*> {};

TEST_P(VideoPipelineTest, EqualsTheReferenceInFloat32) {
  const std::string name = GetParam();
  const Weights golden = Weights::open_file(kCases / (name + ".safetensors"), {});
  const Tensor latents = golden.tensor("latents");
  const Tensor frames = golden.tensor("frames").to(at::kFloat);

  const Rendered rendered = render(read_request(name));

  ASSERT_EQ(rendered.latents.sizes(), latents.sizes());
  EXPECT_LE(relative_l2(rendered.latents, latents), 1e-5);
  EXPECT_LE(((rendered.latents - latents).abs().max() / latents.abs().max()).item<double>(), 1e-5);
  ASSERT_EQ(rendered.frames.sizes(), frames.sizes());
  // A value on the edge between two levels may round to either.
  EXPECT_LE((rendered.frames - frames).abs().max().item<double>(), 1);
  EXPECT_LE((rendered.frames - frames).abs().mean().item<double>(), 0.001);
}

INSTANTIATE_TEST_SUITE_P(TextToVideo, VideoPipelineTest,
                         ::testing::Values("guided", "unguided", "euler", "lcm", "dpm", "long_prompt",
                                           "two_experts", "tokens_text"));
INSTANTIATE_TEST_SUITE_P(ImageToVideo, VideoPipelineTest,
                         ::testing::Values("image", "first_and_last", "image_two_experts", "last_two_experts",
                                           "tokens_image"));
INSTANTIATE_TEST_SUITE_P(VACE, VideoPipelineTest,
                         ::testing::Values("control", "control_alone", "reference", "uncontrolled"));

class Bfloat16Test : public ::testing::TestWithParam<const char*> {};

TEST_P(Bfloat16Test, StaysNearFloat32) {
  const CheckedRequest request = read_request(GetParam());
  const Tensor exact = render(request).latents;
  const double distance = relative_l2(render(request, at::kBFloat16).latents, exact);
  EXPECT_LE(distance, 0.05);  // 8 bits of mantissa, 4 steps, guidance 5
  EXPECT_GT(distance, 0);     // else it was not computed in bfloat16
}

INSTANTIATE_TEST_SUITE_P(Cases, Bfloat16Test,
                         ::testing::Values("guided", "image", "tokens_image", "control"));

TEST(VideoPipelineStopTest, StopsAtTheNextStep) {
  std::atomic<bool> stop = false;
  int64_t last_step = -1;
  const RunControl control{.on_event =
                               [&](const Event& event) {
                                 if (event.kind != Event::Kind::kStep) return;
                                 last_step = event.done;
                                 stop = true;
                               },
                           .stop = &stop};
  ModelStore models;
  EXPECT_THROW(sample(*make(read_request("guided"), models, control)), Stopped);
  EXPECT_EQ(last_step, 0);
}

TEST(VideoPipelineStopTest, StopsInTheMiddleOfTheLastStep) {
  std::atomic<bool> stop = false;
  int64_t last_step = -1;
  const CheckedRequest request = read_request("guided");
  const RunControl control{.on_event =
                               [&](const Event& event) {
                                 if (event.kind != Event::Kind::kStep) return;
                                 last_step = event.done;
                                 stop = stop || event.done + 1 == event.total;
                               },
                           .stop = &stop};
  ModelStore models;
  EXPECT_THROW(sample(*make(request, models, control)), Stopped);
  EXPECT_EQ(last_step, request.sampling.num_inference_steps - 1);  // not done
}

/// The components in the order in which they are loaded, and the steps, as their numbers.
std::vector<std::string> order_of_work(const CheckedRequest& request) {
  std::vector<std::string> order;
  const RunControl control{.on_event = [&](const Event& event) {
    if (event.kind == Event::Kind::kLoad) order.push_back(event.detail);
    if (event.kind == Event::Kind::kStep) order.push_back(std::to_string(event.done));
  }};
  ModelStore models;
  sample(*make(request, models, control));
  return order;
}

TEST(TwoExpertsTest, TheSecondIsLoadedWhenTheBoundaryIsCrossed) {
  // Timesteps 999, 900, 750, 500; the checkpoint's boundary is at 875.
  CheckedRequest request = read_request("two_experts");
  EXPECT_THAT(order_of_work(request), testing::ElementsAre("text_encoder", "vae", "transformer", "0", "1",
                                                           "transformer_2", "2", "3", "4"));
  request.sampling.boundary_ratio = 0.9;  // a timestep on the boundary is still the first expert's
  EXPECT_THAT(order_of_work(request), testing::Contains("1").Times(1));
  EXPECT_EQ(order_of_work(request)[5], "transformer_2");
  request.sampling.boundary_ratio = 0.901;
  EXPECT_EQ(order_of_work(request)[4], "transformer_2");
  request.sampling.boundary_ratio = 0.0;
  EXPECT_THAT(order_of_work(request), testing::Not(testing::Contains("transformer_2")));
}

TEST(TwoExpertsTest, EachHasAGuidanceOfItsOwn) {
  CheckedRequest request = read_request("two_experts");
  const Tensor both = render(request).latents;
  request.sampling.guidance_scale_2.reset();  // then the first one's counts for both
  const Tensor same = render(request).latents;
  request.sampling.guidance_scale_2 = request.sampling.guidance_scale;
  EXPECT_TRUE(at::equal(same, render(request).latents));
  EXPECT_GT(relative_l2(same, both), 1e-3);
}

TEST(VaceTest, TheControlCounts) {
  CheckedRequest request = read_request("control");
  const Tensor scaled = render(request).latents;
  request.conditions.conditioning_scale.reset();
  EXPECT_GT(relative_l2(render(request).latents, scaled), 1e-3);
}

class KeptModelsTest : public ::testing::TestWithParam<const char*> {};

TEST_P(KeptModelsTest, MakeTheSameClipWithoutBeingLoaded) {
  const CheckedRequest request = read_request(GetParam());
  const Tensor alone = render(request).latents;
  std::vector<std::string> loaded;
  const RunControl control{.on_event = [&](const Event& event) {
    if (event.kind == Event::Kind::kLoad) loaded.push_back(event.detail);
  }};
  ModelStore models;
  const ComingClips coming{.same_models = true, .prompts = prompts_of(request)};
  EXPECT_TRUE(at::equal(sample(*make(request, models, control, at::kFloat, coming)), alone));
  EXPECT_THAT(loaded, testing::Contains("transformer"));
  loaded.clear();
  CheckedRequest other = request;
  other.sampling.seed = request.sampling.seed + 1;
  EXPECT_FALSE(at::equal(sample(*make(other, models, control, at::kFloat, coming)), alone));
  EXPECT_TRUE(at::equal(sample(*make(request, models, control, at::kFloat, coming)), alone));
  EXPECT_THAT(loaded, testing::IsEmpty());
  // The last one finds them and leaves nothing.
  EXPECT_TRUE(at::equal(sample(*make(request, models, control)), alone));
  EXPECT_THAT(loaded, testing::IsEmpty());
  EXPECT_FALSE(models.has_models());
}

INSTANTIATE_TEST_SUITE_P(Cases, KeptModelsTest,
                         ::testing::Values("guided", "two_experts", "image", "tokens_image", "control"));

TEST(StoppedModelsTest, AreStoppedByTheirNextClip) {
  const CheckedRequest request = read_request("guided");
  ModelStore models;
  {
    const RunControl first;
    sample(*make(request, models, first, at::kFloat, {.same_models = true, .prompts = {}}));
  }
  std::atomic<bool> stop = false;
  const RunControl second{.on_event = [&](const Event& event) { stop = event.kind == Event::Kind::kStep; },
                          .stop = &stop};
  EXPECT_THROW(sample(*make(request, models, second)), Stopped);
}

class PreviewTest : public ::testing::TestWithParam<const char*> {};

TEST_P(PreviewTest, LeadsToTheFinalLatents) {
  CheckedRequest request = read_request(GetParam());
  std::vector<Frames> previews;
  Checkpoint checkpoint = Checkpoint::open({.model = request.model.model});
  use_sampler("euler", checkpoint.scheduler, request.sampling);
  const Component vae_files = checkpoint.get("vae");
  VisualInputs inputs = read_visual_inputs(request.conditions, request.size, checkpoint);
  const RunControl control;
  ModelStore models;
  const auto pipeline = make_pipeline({.checkpoint = std::move(checkpoint),
                                       .placement = {},
                                       .request = request,
                                       .inputs = std::move(inputs),
                                       .on_preview =
                                           [&](int64_t done, int64_t total, const auto& make) {
                                             previews.push_back(make());
                                             EXPECT_EQ(done, static_cast<int64_t>(previews.size()));
                                             EXPECT_EQ(total, request.sampling.num_inference_steps);
                                           }},
                                      models, control);
  const Tensor final_latents =
      sample(*pipeline).slice(2, static_cast<int64_t>(request.conditions.reference_images.size()));
  ASSERT_EQ(static_cast<int64_t>(previews.size()), request.sampling.num_inference_steps);
  const c10::InferenceMode inference_mode;
  const AutoencoderKLWan vae(Weights::open(vae_files, {.placement = {}, .keep_in_fp32 = {}}),
                             AutoencoderKLWanConfig::from_config(vae_files.config),
                             AutoencoderKLWan::Parts::kEncoderAndDecoder);
  const Tensor expected = to_pixels(preview_frames(final_latents, [&vae](const Tensor& latents) {
    Tensor frame;
    vae.decode(vae.denormalize(latents), [&frame](const Tensor& pixels) { frame = pixels; });
    return frame;
  }));
  const auto difference = [&](const Frames& preview) {
    return (to_pixels(preview) - expected).abs().max().item<double>() * 127.5;
  };
  // Euler's last step goes to noise level 0 along a straight line: a level at most, where it is rounded.
  EXPECT_LE(difference(previews.back()), 1.01);
  EXPECT_GT(difference(previews.front()), 2);
}

INSTANTIATE_TEST_SUITE_P(Cases, PreviewTest, ::testing::Values("guided", "reference", "tokens_image"));

}  // namespace
}  // namespace t2v
