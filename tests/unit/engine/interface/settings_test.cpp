#include "engine/interface/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace t2v {
namespace {

namespace fs = std::filesystem;

CheckedRequest some_request() {
  CheckedRequest request;
  request.prompt = "a red ball";
  request.model.model = "/models/a";
  request.size = {.height = 480, .width = 832, .num_frames = 81, .fps = 16};
  request.sampling.sampler = "unipc";
  request.outputs.output = "clip.mp4";
  return request;
}

TEST(Settings, SettingsHoldTheSeedAsText) {
  CheckedRequest request = some_request();
  request.sampling.seed = UINT64_MAX;
  request.prompt = "\"quoted\" 球 \n";
  const auto settings = nlohmann::json::parse(settings_json(request, {.device = "cpu"}));
  EXPECT_EQ(settings.at("seed"), "18446744073709551615");
  EXPECT_EQ(settings.at("prompt"), request.prompt);
  EXPECT_EQ(settings.at("device"), "cpu");
  EXPECT_FALSE(settings.contains("sigmas"));
}

TEST(Settings, KeysStandInOneOrder) {
  CheckedRequest request = some_request();
  request.model.parts = {{"image_encoder", "/i"}, {"tokenizer", "/k"}, {"transformer", "/t"}, {"vae", "/v"}};
  request.conditions.image = "a.png";
  request.machine.threads = 3;
  std::string keys;
  const auto settings =
      nlohmann::ordered_json::parse(settings_json(request, {.device = "cpu", .device_name = "a processor"}));
  for (const auto& [key, value] : settings.items()) keys += key + ' ';
  EXPECT_EQ(
      keys,
      "t2v model prompt negative_prompt seed width height num_frames num_inference_steps guidance_scale "
      "sampler "
      "flow_shift dtype device transformer vae tokenizer image_encoder image threads fps quality encoder "
      "device_name ");
}

TEST(Settings, SettingsAreFlags) {
  CheckedRequest request = some_request();
  request.model.loras = {{"a.safetensors", -0.5}, {"/b:c.safetensors", 1}};
  request.conditions.image = "a.png";
  request.outputs.metadata = false;
  request.encoding.quality = "high";
  request.machine.offload = "cpu";
  const auto settings =
      nlohmann::json::parse(settings_json(request, {.device = "cuda:1", .model_sha256 = "abc"}));
  const std::string here = fs::current_path().string();
  EXPECT_EQ(settings.at("lora"), nlohmann::json({here + "/a.safetensors:-0.5", "/b:c.safetensors:1.0"}));
  EXPECT_EQ(settings.at("image"), here + "/a.png");
  EXPECT_EQ(settings.at("model"), request.model.model.string());
  EXPECT_EQ(settings.at("no_metadata"), true);
  EXPECT_EQ(settings.at("offload"), "cpu");
  EXPECT_EQ(settings.at("model_sha256"), "abc");
  EXPECT_EQ(settings.at("encoder"), nlohmann::json({{"codec", "h264"}, {"pix_fmt", "yuv420p"}, {"crf", 10}}));
  for (const char* absent : {"max_vram", "lora_2", "vae", "crf", "vae_tiling", "sigmas", "skipped_steps"})
    EXPECT_FALSE(settings.contains(absent)) << absent;
}

TEST(Settings, DecodedSettingsAreTheRecordedOnes) {
  CheckedRequest request = some_request();
  request.arguments = {"-p", "a red ball"};
  const std::string recorded = settings_json(request, {.device = "cuda:1", .model_sha256 = "abc"});
  DecodeTask decoded{.latents = {},
                     .model = request.model,
                     .size = request.size,
                     .encoding = request.encoding,
                     .outputs = request.outputs};
  EXPECT_EQ(decoded_settings_json(recorded, decoded), recorded);
  decoded.model = {.parts = {{"vae", "/vae"}}};
  decoded.size.fps = 4;
  auto settings = nlohmann::json::parse(decoded_settings_json(recorded, decoded));
  EXPECT_EQ(settings.at("model"), request.model.model.string());
  EXPECT_EQ(settings.at("vae"), "/vae");
  EXPECT_EQ(settings.at("fps"), 4);
  EXPECT_FALSE(settings.contains("model_sha256"));
}

}  // namespace
}  // namespace t2v
