// A family of models that stands in this folder and in one line of each registry, and the real engine.

#include <set>
#include <string>

#include <gmock/gmock.h>

#include "api/checks.h"
#include "engine/engine_functions.h"
#include "families/registry.h"
#include "media/clip_reader.h"
#include "t2v/generate.h"
#include "unit/checkpoint_files.h"
#include "unit/second_family/sketch_checkpoint.h"
#include "unit/second_family/sketch_pipeline.h"

namespace t2v {
namespace {

using ::testing::HasSubstr;
using Pixels = std::vector<uint8_t>;

class SecondFamilyTest : public WeightsFolder {
 protected:
  SecondFamilyTest() { sketch_.write_diffusers_folder(path("model")); }

  /// A clip of 24x16 pixels and 6 frames.
  GenerateRequest request(const std::string& output) const {
    GenerateRequest request{.prompt = "a red ball"};
    request.model.model = path("model");
    request.size = {.height = 16, .width = 24, .num_frames = 6, .fps = 8};
    request.sampling.num_inference_steps = 3;
    request.sampling.guidance_scale = 3;
    request.sampling.seed = 7;
    request.machine.device = "cpu";
    request.outputs.output = path(output);
    return request;
  }

  /// Renders a clip with a new renderer, and returns the pixels of each frame.
  std::vector<Pixels> render(const GenerateRequest& request) {
    const auto renderer = engine_.rendering.make_renderer();
    return render(*renderer, check(request), {});
  }

  /// Renders a clip that others follow. Notes the components that are loaded.
  std::vector<Pixels> render(RenderEngine& renderer, const CheckedRequest& request,
                             const std::vector<CheckedRequest>& expected) {
    const RunControl control{.on_event = [this](const Event& event) {
      if (event.kind == Event::Kind::kLoad) loaded_.push_back(event.detail);
    }};
    renderer.render({.request = request, .expected = expected, .model_sha256 = [] { return "none"; }},
                    control);
    return frames_of(request.outputs.output);
  }

  static std::vector<Pixels> frames_of(const std::filesystem::path& clip) {
    std::vector<Pixels> frames;
    ClipReader reader(clip);
    while (const auto frame = reader.next()) {
      EXPECT_EQ(frame->width, 24);
      EXPECT_EQ(frame->height, 16);
      frames.push_back(frame->rgb);
    }
    return frames;
  }

  const testing::SketchFamily family_;
  const RegisteredFamily registered_{family_};
  const RegisteredPipelines pipelines_{testing::sketch_pipelines()};
  const EngineEntryPoints& engine_ = t2v_engine_entry_points();
  const testing::SketchCheckpoint sketch_;
  std::vector<std::string> loaded_;
};

TEST_F(SecondFamilyTest, RendersAClip) {
  const std::vector<Pixels> frames = render(request("a.png"));
  EXPECT_EQ(frames.size(), 6u);
  std::set<std::string> different;
  for (const Pixels& frame : frames) different.emplace(frame.begin(), frame.end());
  EXPECT_EQ(different.size(), 6u);
  EXPECT_THAT(loaded_, ::testing::ElementsAre("text_encoder_2", "vqvae", "unet"));

  EXPECT_EQ(render(request("b.png")), frames);
  GenerateRequest other = request("c.png");
  other.sampling.seed = 8;
  EXPECT_NE(render(other), frames);
  other = request("d.png");
  other.prompt = "a blue ball";
  EXPECT_NE(render(other), frames);
}

TEST_F(SecondFamilyTest, LooseFilesMakeTheSameClip) {
  std::filesystem::create_directory(path("loose"));
  sketch_.write_loose_files(path("loose"));
  GenerateRequest loose = request("loose.png");
  loose.model.model = path("loose");
  EXPECT_EQ(render(loose), render(request("a.png")));
}

TEST_F(SecondFamilyTest, PlansAClip) {
  const Plan plan = engine_.planning.run(check(request("a.png")));
  EXPECT_EQ(plan.latents.channels, 6);
  EXPECT_EQ(plan.latents.frames, 3);
  EXPECT_EQ(plan.latents.tokens, 3 * 4 * 6);
  EXPECT_EQ(plan.forwards, 6);
  EXPECT_EQ(plan.refusal, "");
}

TEST_F(SecondFamilyTest, HasItsOwnFrameRule) {
  GenerateRequest odd = request("a.png");
  odd.size.num_frames = 5;
  const auto error_of_check = [&] {
    try {
      check(odd);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(error_of_check(),
              AllOf(HasSubstr("a multiple of 2 from 2 to 100001"), HasSubstr("use 4 or 6")));
  odd.size = {.height = 16, .width = 24, .duration = 0.7, .fps = 8};
  EXPECT_THAT(error_of_check(), AllOf(HasSubstr("4 or 6"), HasSubstr("0.5 or 0.75")));
  odd.size.duration = 0.5;
  EXPECT_EQ(check(odd).size.num_frames, 4);
}

TEST_F(SecondFamilyTest, DecodesKeptLatents) {
  GenerateRequest kept = request("a.png");
  kept.outputs.save_latents = path("a.safetensors");
  const std::vector<Pixels> frames = render(kept);
  DecodeRequest decoded;
  decoded.model.parts = {{"vqvae", path("model/vqvae")}};
  decoded.size.fps = 8;
  decoded.machine.device = "cpu";
  decoded.outputs.output = path("again.png");
  engine_.rendering.decode(check_decode(path("a.safetensors"), decoded), {});
  EXPECT_EQ(frames_of(path("again.png")), frames);
}

TEST_F(SecondFamilyTest, ClipsOfABatchShareModels) {
  GenerateRequest second = request("b.png");
  second.machine.threads = 1;
  second.machine.vae_tiling = true;
  second.machine.embeds_cache = path("embeds");
  const std::vector<CheckedRequest> batch = {check(request("a.png")), check(second)};
  const auto renderer = engine_.rendering.make_renderer();
  render(*renderer, batch[0], {batch[1]});
  loaded_.clear();
  render(*renderer, batch[1], {});
  EXPECT_THAT(loaded_, ::testing::ElementsAre("text_encoder_2"));  // its rounding depends on the threads
}

TEST_F(SecondFamilyTest, IsInspected) {
  Checkpoint checkpoint = Checkpoint::open({.model = path("model")});
  checkpoint.components.at("unet").tensors.erase("time.bias");
  const TensorDifferences differences = engine_.inspection.compare(checkpoint, "unet");
  EXPECT_THAT(differences.missing, ::testing::ElementsAre("time.bias"));
  EXPECT_THAT(differences.unknown, ::testing::IsEmpty());
  EXPECT_THAT(differences.misshaped, ::testing::IsEmpty());
}

TEST_F(SecondFamilyTest, IsConverted) {
  std::filesystem::create_directory(path("loose"));
  sketch_.write_loose_files(path("loose"));
  const Checkpoint loose = Checkpoint::open({.model = path("loose")});
  engine_.conversion.convert(loose, {.input = path("loose"), .output = path("converted"), .dtype = ""}, {});
  engine_.conversion.convert(loose, {.input = path("loose"), .output = path("half"), .dtype = "bfloat16"},
                             {});
  const Component half = Checkpoint::open({.model = path("half")}).get("unet");
  EXPECT_EQ(half.get("time.weight").stored.format, NumberFormat::kF32);
  EXPECT_EQ(half.get("conv_in.weight").stored.format, NumberFormat::kBF16);
  GenerateRequest converted = request("b.png");
  converted.model.model = path("converted");
  EXPECT_EQ(render(converted), render(request("a.png")));
}

}  // namespace
}  // namespace t2v
