#include "pipelines/wan_pipeline.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/config.h"
#include "weights/weights.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

const fs::path kFixtures = T2V_FIXTURES;

GenerateRequest read_request(const std::string& name) {
  const Config settings = Config::read(kFixtures / "pipelines" / (name + ".json"));
  GenerateRequest request;
  request.prompt = settings.text("prompt", "");
  request.negative_prompt = settings.text("negative_prompt", "");
  request.height = settings.integer("height", 0);
  request.width = settings.integer("width", 0);
  request.num_frames = settings.integer("num_frames", 0);
  request.num_inference_steps = settings.integer("num_inference_steps", 0);
  request.guidance_scale = settings.number("guidance_scale", 0);
  request.seed = settings.json().at("seed").get<uint64_t>();
  if (name == "euler") request.sampler = "euler";
  return request;
}

struct Rendered {
  Tensor latents;
  Tensor frames;  ///< [count, height, width, 3] as float
};

Rendered render(const GenerateRequest& request, at::ScalarType dtype) {
  const RunControl control;
  WanPipeline pipeline(Checkpoint::open({.model = kFixtures / "tiny-wan"}), {dtype, at::kCPU}, control);
  Rendered rendered{pipeline.sample(request), {}};
  std::vector<Tensor> chunks;
  pipeline.decode(rendered.latents, [&](const Frames& frames) {
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

class WanPipelineTest : public ::testing::TestWithParam<const char*> {};

TEST_P(WanPipelineTest, EqualsTheReferenceInFloat32) {
  const std::string name = GetParam();
  const Weights golden = Weights::open_file(kFixtures / "pipelines" / (name + ".safetensors"), {});
  const Tensor latents = golden.tensor("latents");
  const Tensor frames = golden.tensor("frames").to(at::kFloat);

  const Rendered rendered = render(read_request(name), at::kFloat);

  ASSERT_EQ(rendered.latents.sizes(), latents.sizes());
  EXPECT_LE(relative_l2(rendered.latents, latents), 1e-5);
  EXPECT_LE(((rendered.latents - latents).abs().max() / latents.abs().max()).item<double>(), 1e-5);
  ASSERT_EQ(rendered.frames.sizes(), frames.sizes());
  // A value on the edge between two levels may round to either.
  EXPECT_LE((rendered.frames - frames).abs().max().item<double>(), 1);
  EXPECT_LE((rendered.frames - frames).abs().mean().item<double>(), 0.001);
}

INSTANTIATE_TEST_SUITE_P(Cases, WanPipelineTest,
                         ::testing::Values("guided", "unguided", "euler", "long_prompt"));

TEST(WanPipelineBfloat16Test, StaysNearFloat32) {
  const GenerateRequest request = read_request("guided");
  const Tensor exact = render(request, at::kFloat).latents;
  const double distance = relative_l2(render(request, at::kBFloat16).latents, exact);
  EXPECT_LE(distance, 0.05);  // 8 bits of mantissa, 4 steps, guidance 5
  EXPECT_GT(distance, 0);     // else it was not computed in bfloat16
}

TEST(WanPipelineStopTest, StopsAtTheNextStep) {
  std::atomic<bool> stop = false;
  int64_t last_step = -1;
  const RunControl control{.on_event =
                               [&](const Event& event) {
                                 if (event.kind != Event::Kind::kStep) return;
                                 last_step = event.done;
                                 stop = true;
                               },
                           .stop = &stop};
  WanPipeline pipeline(Checkpoint::open({.model = kFixtures / "tiny-wan"}), {at::kFloat, at::kCPU}, control);
  EXPECT_THROW(pipeline.sample(read_request("guided")), Stopped);
  EXPECT_EQ(last_step, 0);
}

}  // namespace
}  // namespace t2v
