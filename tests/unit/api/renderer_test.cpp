#include "t2v/renderer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "core/machine.h"
#include "media/clip_reader.h"
#include "t2v/decode.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

class RendererTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("t2v_renderer_" + std::to_string(::getpid()));
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  GenerateRequest request(const std::string& name, const std::string& prompt) const {
    GenerateRequest request;
    request.model.model = fs::path(T2V_FIXTURES) / "tiny-wan";
    request.prompt = prompt;
    request.negative_prompt = "blurry";
    request.outputs.output = folder_ / name;
    request.encoding.quality = "lossless";
    request.size.width = 32;
    request.size.height = 48;
    request.size.num_frames = 5;
    request.sampling.num_inference_steps = 2;
    request.sampling.seed = 7;
    return request;
  }

  /// Three clips that differ in what may differ while models stay.
  std::vector<CheckedRequest> three() const {
    std::vector<GenerateRequest> requests = {request("a.mkv", "a red ball"), request("b.mkv", "snow"),
                                             request("c.mkv", "a red ball")};
    requests[1].size.width = 64;
    requests[1].sampling.guidance_scale = 1;
    requests[2].sampling.seed = 8;
    requests[2].size.num_frames = 9;
    return {check(requests[0]), check(requests[1]), check(requests[2])};
  }

  /// Follows a run: how often each component was loaded.
  RunControl control() {
    return {.on_event = [this](const Event& event) {
      if (event.kind == Event::Kind::kLoad) ++loads_[event.detail];
    }};
  }

  static std::string content(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }

  fs::path folder_;
  std::map<std::string, int> loads_;
};

using Loads = std::map<std::string, int>;

TEST_F(RendererTest, MakesTheClipsThatSeparateRunsMake) {
  Renderer renderer;
  const std::vector<CheckedRequest> requests = three();
  renderer.expect(requests);
  for (const CheckedRequest& each : requests) {
    const GenerateResult result = renderer.generate(each, control());
    EXPECT_EQ(result.output, each.outputs.output);
    const std::string together = content(each.outputs.output);
    CheckedRequest alone = each;
    alone.outputs.overwrite = true;
    EXPECT_EQ(Renderer().generate(alone, {}).settings, result.settings);
    ASSERT_FALSE(together.empty());
    EXPECT_TRUE(content(each.outputs.output) == together) << each.outputs.output;
  }
  EXPECT_EQ(loads_, (Loads{{"text_encoder", 1}, {"transformer", 1}, {"vae", 1}}));
}

TEST_F(RendererTest, KeepsNothingForWhatIsNotExpected) {
  Renderer renderer;
  const std::vector<CheckedRequest> requests = three();
  for (const CheckedRequest& each : requests) renderer.generate(each, control());
  EXPECT_EQ(loads_["transformer"], 3);
  EXPECT_EQ(loads_["vae"], 3);
}

TEST_F(RendererTest, KeepsNothingForAnotherModel) {
  std::vector<CheckedRequest> requests = three();
  requests[1].machine.dtype = "bfloat16";
  Renderer renderer;
  renderer.expect(requests);
  renderer.generate(requests[0], control());
  renderer.generate(requests[1], control());
  renderer.generate(requests[2], control());
  EXPECT_EQ(loads_, (Loads{{"text_encoder", 3}, {"transformer", 3}, {"vae", 3}}));
}

TEST_F(RendererTest, ReleasesModelsWhereMemoryIsLimited) {
  std::vector<CheckedRequest> requests = three();
  for (CheckedRequest& each : requests) each.machine.offload = "disk";
  Renderer renderer;
  renderer.expect(requests);
  for (const CheckedRequest& each : requests) renderer.generate(each, control());
  EXPECT_EQ(loads_, (Loads{{"text_encoder", 1}, {"transformer", 3}, {"vae", 3}}));
}

TEST_F(RendererTest, CanRenderAfterAFailure) {
  const std::vector<CheckedRequest> requests = three();
  Renderer renderer;
  renderer.expect(requests);
  renderer.generate(requests[0], control());
  const std::string first = content(requests[0].outputs.output);
  EXPECT_THROW(renderer.generate(requests[0], control()), Error);  // is there already
  CheckedRequest full = requests[1];
  full.outputs.output = "/dev/full";
  EXPECT_THROW(renderer.generate(full, control()), Error);
  std::atomic<bool> stop = false;
  const RunControl stopped{.on_event = [&](const Event& event) { stop = event.kind == Event::Kind::kStep; },
                           .stop = &stop};
  EXPECT_THROW(renderer.generate(requests[1], stopped), Stopped);
  EXPECT_FALSE(fs::exists(requests[1].outputs.output));
  renderer.generate(requests[2], control());
  EXPECT_TRUE(fs::exists(requests[2].outputs.output));
  CheckedRequest again = requests[0];
  again.outputs.overwrite = true;
  renderer.generate(again, control());
  EXPECT_TRUE(content(requests[0].outputs.output) == first);
}

TEST_F(RendererTest, ThreadsAreThoseOfEachClip) {
  std::vector<CheckedRequest> requests = three();
  requests[0].machine.threads = 1;
  Renderer renderer;
  renderer.expect(requests);
  renderer.generate(requests[0], control());
  renderer.generate(requests[2], control());
  const std::string after_one = content(requests[2].outputs.output);
  CheckedRequest alone = requests[2];
  alone.outputs.overwrite = true;
  Renderer().generate(alone, {});
  EXPECT_TRUE(content(requests[2].outputs.output) == after_one);
}

TEST_F(RendererTest, MemoryDoesNotGrowWithTheClips) {
  if (resident_memory() == 0) GTEST_SKIP() << "the system does not tell how much is used";
  std::vector<CheckedRequest> requests;
  for (int i = 0; i < 24; ++i)
    requests.push_back(check(request(std::to_string(i) + ".mkv", "ball " + std::to_string(i % 5))));
  Renderer renderer;
  renderer.expect(requests);
  uint64_t after_four = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    renderer.generate(requests[i], {});
    if (i == 3) after_four = resident_memory();
  }
  // The models and the libraries are some 300 MB; a clip's frames, latents and prompts would be 20 times 0.3.
  EXPECT_LE(resident_memory(), after_four + (3 << 20));
  RecordProperty("after_4_clips", std::to_string(after_four));
  RecordProperty("after_24_clips", std::to_string(resident_memory()));
}

TEST(RendererSettingsTest, TheWeightsAreKnownByTheirHash) {
  const fs::path output = fs::path(::testing::TempDir()) / ("t2v_sha_" + std::to_string(::getpid()) + ".mkv");
  GenerateRequest request;
  request.model.model = fs::path(T2V_FIXTURES) / "tiny-wan";
  request.prompt = "snow";
  request.outputs.output = output;
  request.size.width = request.size.height = 32;
  request.size.num_frames = request.sampling.num_inference_steps = 1;
  const nlohmann::json settings = nlohmann::json::parse(generate(request, {}).settings);
  fs::remove(output);
  // find tests/fixtures/tiny-wan -name '*.safetensors' | xargs sha256sum | cut -c 1-64 | sort | sha256sum
  EXPECT_EQ(settings.value("model_sha256", ""),
            "aef81660496bf3a4063e6a1bf661cb59179f6be70a045b493b18cad7296cfab5");
}

/// What RunControl::on_frames gets: every frame of a clip.
struct HandedOut {
  int64_t count = 0, height = 0, width = 0;
  std::vector<uint8_t> rgb;

  RunControl control() {
    return {.on_frames = [this, thread = std::this_thread::get_id()](const DecodedFrames& frames) {
      EXPECT_EQ(std::this_thread::get_id(), thread);
      EXPECT_EQ(frames.first, count);
      count += frames.count;
      height = frames.height;
      width = frames.width;
      rgb.insert(rgb.end(), frames.rgb, frames.rgb + 3 * frames.count * frames.height * frames.width);
    }};
  }
};

std::vector<uint8_t> pixels_of(const fs::path& clip) {
  std::vector<uint8_t> pixels;
  ClipReader reader(clip);
  while (const auto frame = reader.next()) pixels.insert(pixels.end(), frame->rgb.begin(), frame->rgb.end());
  return pixels;
}

TEST_F(RendererTest, HandsOutTheFramesThatItWrites) {
  for (const char* name : {"numbered.png", "lossless.mkv"}) {
    HandedOut handed_out;
    generate(request(name, "a red ball"), handed_out.control());
    EXPECT_EQ(handed_out.count, 5);
    EXPECT_EQ(handed_out.height, 48);
    EXPECT_EQ(handed_out.width, 32);
    EXPECT_TRUE(handed_out.rgb == pixels_of(folder_ / name)) << name;
  }
}

TEST_F(RendererTest, HandsOutFramesWithoutAFile) {
  GenerateRequest wanted = request("written.mkv", "a red ball");
  generate(wanted, {});
  const std::vector<uint8_t> written = pixels_of(wanted.outputs.output);
  fs::remove(wanted.outputs.output);
  wanted.outputs.output = "";
  HandedOut handed_out;
  EXPECT_EQ(generate(wanted, handed_out.control()).output, "");
  EXPECT_TRUE(handed_out.rgb == written);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(RendererTest, HandsOutFramesOfLatents) {
  GenerateRequest wanted = request("", "a red ball");
  wanted.outputs.output = "";
  wanted.outputs.save_latents = folder_ / "latents.safetensors";
  HandedOut sampled, decoded;
  generate(wanted, sampled.control());
  const DecodeRequest request{.model = wanted.model, .size = {.fps = 8}};
  EXPECT_EQ(decode(wanted.outputs.save_latents, request, decoded.control()).output, "");
  EXPECT_EQ(sampled.count, 5);
  EXPECT_TRUE(decoded.rgb == sampled.rgb);
}

TEST_F(RendererTest, NeedsAFileOrACallbackForFrames) {
  GenerateRequest wanted = request("", "a red ball");
  wanted.outputs.output = "";
  try {
    generate(wanted, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
  }
}

TEST_F(RendererTest, AnExceptionOfTheCallbackStopsTheRun) {
  struct Enough {};
  Renderer renderer;
  const GenerateRequest wanted = request("stopped.mkv", "a red ball");
  int calls = 0;
  const RunControl stopping{.on_frames = [&](const DecodedFrames&) {
    ++calls;
    throw Enough();
  }};
  EXPECT_THROW(renderer.generate(wanted, stopping), Enough);
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(fs::exists(wanted.outputs.output));
  EXPECT_NO_THROW(renderer.generate(wanted, {}));
  EXPECT_TRUE(fs::exists(wanted.outputs.output));
}

TEST(Stopped, IsAnException) {
  const std::atomic<bool> stop = true;
  try {
    generate({.prompt = "a red ball", .sampling = {.num_inference_steps = 1}},
             {.stop = &stop, .on_frames = [](const DecodedFrames&) {}});
    FAIL();
  } catch (const std::exception& stopped) {
    EXPECT_STREQ(stopped.what(), "stopped");
  }
}

}  // namespace
}  // namespace t2v
