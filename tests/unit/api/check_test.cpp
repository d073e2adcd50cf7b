#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "api/check_sampling.h"
#include "api/check_size.h"
#include "api/data_folder.h"
#include "api/presets.h"
#include "engine/interface/settings.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/error.h"
#include "t2v/generate.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A copy of the tiny checkpoint, whose configurations a test may change.
class CheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ("t2v_api_" + std::to_string(::getpid()));
    fs::create_directory(folder_);
    fs::copy(fs::path(T2V_FIXTURES) / "tiny-wan", folder_ / "model", fs::copy_options::recursive);
    request_.prompt = "a red ball";
    request_.model.model = folder_ / "model";
    request_.outputs.output = folder_ / "clip.mp4";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void change(const std::string& name, const nlohmann::json& changes) const {
    const fs::path file = folder_ / "model" / name;
    nlohmann::json values = nlohmann::json::parse(std::ifstream(file));
    values.update(changes);
    std::ofstream(file) << values;
  }

  void expect_error(ErrorCode code, const std::string& part) const {
    try {
      check(request_);
      FAIL() << "expected an error with " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }

  fs::path folder_;
  GenerateRequest request_;
};

TEST_F(CheckTest, FillsWhatTheReferenceWouldTake) {
  const CheckedRequest checked = check(request_);
  EXPECT_EQ(checked.size.height, 480);
  EXPECT_EQ(checked.size.width, 832);
  EXPECT_EQ(checked.size.num_frames, 81);
  EXPECT_EQ(checked.sampling.num_inference_steps, 50);
  EXPECT_EQ(checked.sampling.guidance_scale, 5.0);
  EXPECT_EQ(checked.negative_prompt, "");
  EXPECT_EQ(checked.sampling.sampler, "unipc");
  EXPECT_EQ(checked.sampling.flow_shift, 3.0);
}

/// The files of configs/, and for each a transformer and a name that it is for.
struct Published {
  const char* file;
  nlohmann::json transformer;
  std::string pipeline = "WanPipeline";
  bool two_experts = false, expand_timesteps = false;
  std::string name = "model";
};

class PresetTest : public CheckTest, public ::testing::WithParamInterface<Published> {};

TEST_P(PresetTest, IsFoundByWhatTheCheckpointIs) {
  const Published& published = GetParam();
  const std::string folder = (folder_ / published.name).string();
  if (published.name != "model") fs::rename(folder_ / "model", folder);
  const Config shipped = Config::read(data_folder() / "configs" / published.file);
  Checkpoint checkpoint = Checkpoint::open({.model = folder});
  checkpoint.components.at("transformer").config = Config(published.transformer, "test");
  if (published.two_experts) checkpoint.components.emplace("transformer_2", checkpoint.get("transformer"));
  checkpoint.expand_timesteps = published.expand_timesteps;
  for (const auto pipeline :
       {PipelineClass::kWan, PipelineClass::kWanImageToVideo, PipelineClass::kWanVACE}) {
    if (pipeline_class_name(pipeline) == published.pipeline) checkpoint.pipeline = pipeline;
  }
  const Config preset = find_preset(checkpoint, {.model = folder});
  const CheckedSize size = check_size({}, preset, checkpoint);
  const CheckedSampling sampling = check_sampling({}, preset, checkpoint);
  EXPECT_EQ(size.width, shipped.integer("width", 0));
  EXPECT_EQ(size.num_frames, shipped.integer("num_frames", 0));
  EXPECT_EQ(sampling.num_inference_steps, shipped.integer("num_inference_steps", 0));
  EXPECT_EQ(sampling.guidance_scale, shipped.number("guidance_scale", 0));
  EXPECT_EQ(sampling.flow_shift, shipped.number("flow_shift", 3.0));
  EXPECT_EQ(sampling.sampler, shipped.text("sampler", "unipc"));
  EXPECT_EQ(sampling.sigmas, shipped.numbers("sigmas", {}));
  EXPECT_EQ(sampling.guidance_scale_2.value_or(0), shipped.number("guidance_scale_2", 0));
  EXPECT_EQ(sampling.boundary_ratio.value_or(0), shipped.number("boundary_ratio", 0));
  EXPECT_EQ(preset.text("negative_prompt", ""), shipped.text("negative_prompt", ""));
}

nlohmann::json transformer(int64_t heads, int64_t layers, int64_t channels, const nlohmann::json& more = {}) {
  nlohmann::json config = {{"num_attention_heads", heads},
                           {"num_layers", layers},
                           {"in_channels", channels},
                           {"out_channels", 16}};
  config.update(more.is_null() ? nlohmann::json::object() : more);
  return config;
}

const nlohmann::json kSeesImages = {{"image_dim", 1280}, {"pos_embed_seq_len", nullptr}};
const nlohmann::json kSeesTwoImages = {{"image_dim", 1280}, {"pos_embed_seq_len", 514}};
const std::string kI2V = "WanImageToVideoPipeline", kVACE = "WanVACEPipeline";

INSTANTIATE_TEST_SUITE_P(
    Published, PresetTest,
    ::testing::Values(Published{"wan2.1-t2v-1.3b.json", transformer(12, 30, 16)},
                      Published{"wan2.1-t2v-14b.json", transformer(40, 40, 16)},
                      Published{"wan2.1-i2v-14b-480p.json", transformer(40, 40, 36, kSeesImages), kI2V},
                      Published{"wan2.1-i2v-14b-720p.json", transformer(40, 40, 36, kSeesImages), kI2V, false,
                                false, "Wan2.1-I2V-14B-720P-Diffusers"},
                      Published{"wan2.1-flf2v-14b-720p.json", transformer(40, 40, 36, kSeesTwoImages), kI2V},
                      Published{"wan2.1-vace-1.3b.json", transformer(12, 30, 16), kVACE},
                      Published{"wan2.1-vace-14b.json", transformer(40, 40, 16), kVACE},
                      Published{"wan2.2-t2v-a14b.json", transformer(40, 40, 16), "WanPipeline", true},
                      Published{"wan2.2-i2v-a14b.json", transformer(40, 40, 36), kI2V, true},
                      Published{"wan2.2-ti2v-5b.json", transformer(24, 30, 48), "WanPipeline", false, true},
                      Published{"wan2.1-t2v-14b-distilled.json", transformer(40, 40, 16), "WanPipeline",
                                false, false, "Wan2.1-T2V-14B-StepDistill-CfgDistill-Lightx2v"},
                      Published{"wan2.1-i2v-14b-distilled.json", transformer(40, 40, 36, kSeesImages), kI2V,
                                false, false, "Wan2.1-I2V-14B-720P-StepDistill"},
                      Published{"wan2.2-t2v-a14b-distilled.json", transformer(40, 40, 16), "WanPipeline",
                                true, false, "Wan2.2-Lightning"},
                      Published{"wan2.2-i2v-a14b-distilled.json", transformer(40, 40, 36), kI2V, true, false,
                                "Wan2.2-I2V-A14B-4step"},
                      Published{"wan2.1-vace-14b-distilled.json", transformer(40, 40, 16), kVACE, false,
                                false, "Wan2.1-VACE-14B-lightx2v"},
                      Published{"wan2.1-vace-1.3b-distilled.json", transformer(12, 30, 16), kVACE, false,
                                false, "Wan2.1_T2V_1.3B_SelfForcing_VACE"},
                      Published{"fastwan2.1-t2v-1.3b.json", transformer(12, 30, 16), "WanPipeline", false,
                                false, "FastWan2.1-T2V-1.3B-Diffusers"},
                      Published{"fastwan2.2-ti2v-5b.json", transformer(24, 30, 48), "WanPipeline", false,
                                true, "FastWan2.2-TI2V-5B"},
                      Published{"default.json", transformer(3, 3, 16)}),
    [](const auto& each) {
      std::string name = each.param.file;
      std::replace_if(
          name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
      return name;
    });

TEST_F(CheckTest, ADistilledModelIsKnownByTheNameOfItsLora) {
  ModelChoice model{.model = folder_ / "model"};
  Checkpoint checkpoint = Checkpoint::open({.model = model.model});
  checkpoint.components.at("transformer").config = Config(transformer(40, 40, 16), "test");
  model.loras = {{"loras/Wan21_T2V_14B_lightx2v_cfg_step_distill_lora_rank32.safetensors"}};
  const CheckedSampling sampling = check_sampling({}, find_preset(checkpoint, model), checkpoint);
  EXPECT_EQ(sampling.num_inference_steps, 4);
  EXPECT_EQ(sampling.sigmas.size(), 4U);
  EXPECT_EQ(sampling.guidance_scale, 1.0);
}

TEST_F(CheckTest, FoldersOnTheWayToAModelDoNotMakeItDistilled) {
  Checkpoint checkpoint = Checkpoint::open({.model = folder_ / "model"});
  checkpoint.components.at("transformer").config = Config(transformer(40, 40, 16), "test");
  const auto steps_of = [&](const char* model) {
    return check_sampling({}, find_preset(checkpoint, {.model = model}), checkpoint).num_inference_steps;
  };
  EXPECT_EQ(steps_of("/home/lightning/distilled/Wan2.1-T2V-14B/"), 50);
  EXPECT_EQ(steps_of("hub/models--lightx2v--Wan2.1-T2V-14B/snapshots/0123"), 4);
}

TEST_F(CheckTest, StepsOfOnesOwnAreNotThePresetsNoiseLevels) {
  ModelChoice model{.model = folder_ / "model"};
  Checkpoint checkpoint = Checkpoint::open({.model = model.model});
  checkpoint.components.at("transformer").config = Config(transformer(40, 40, 16), "test");
  model.parts["transformer"] = "Wan2.1_t2v_14b_distill.safetensors";
  const CheckedSampling sampling =
      check_sampling({.num_inference_steps = 8}, find_preset(checkpoint, model), checkpoint);
  EXPECT_EQ(sampling.num_inference_steps, 8);
  EXPECT_TRUE(sampling.sigmas.empty());
}

TEST_F(CheckTest, TheGuidanceOfOnesOwnIsBothExperts) {
  const ModelChoice model{.model = folder_ / "model"};
  Checkpoint checkpoint = Checkpoint::open({.model = model.model});
  checkpoint.components.at("transformer").config = Config(transformer(40, 40, 16), "test");
  checkpoint.components.emplace("transformer_2", checkpoint.get("transformer"));
  checkpoint.boundary_ratio = 0.7;
  const CheckedSampling sampling =
      check_sampling({.guidance_scale = 6.0}, find_preset(checkpoint, model), checkpoint);
  EXPECT_FALSE(sampling.guidance_scale_2.has_value());
  EXPECT_EQ(*sampling.boundary_ratio, 0.7);  // the checkpoint's own before the preset's
}

TEST_F(CheckTest, TheBundledModelHasAPreset) {
  request_.model.model.clear();
  EXPECT_LE(check(request_).size.width, 128);
}

TEST_F(CheckTest, TakesTheShiftOfTheSchedulerInUse) {
  // What FlowMatchEulerDiscreteScheduler.from_config(unipc.config, shift=7.0) writes.
  change("scheduler/scheduler_config.json",
         {{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"shift", 7.0}});
  EXPECT_EQ(check(request_).sampling.sampler, "euler");
  EXPECT_EQ(check(request_).sampling.flow_shift, 7.0);
  request_.sampling.sampler = "unipc";
  EXPECT_EQ(check(request_).sampling.flow_shift, 3.0);
  request_.sampling.flow_shift = 5.0;
  EXPECT_EQ(check(request_).sampling.flow_shift, 5.0);
}

TEST_F(CheckTest, CarriesTheShiftToTheOtherSampler) {
  request_.sampling.sampler = "euler";
  EXPECT_EQ(check(request_).sampling.flow_shift, 3.0);
}

TEST_F(CheckTest, ASamplerStandsInForAnUnknownClass) {
  change("scheduler/scheduler_config.json", {{"_class_name", "DDIMScheduler"}});
  expect_error(ErrorCode::kInput, "DDIMScheduler");
  request_.sampling.sampler = "unipc";
  EXPECT_EQ(check(request_).sampling.sampler, "unipc");
}

TEST_F(CheckTest, ATransformerAndAVaeBelongTogether) {
  change("vae/config.json", {{"z_dim", 48}});
  expect_error(ErrorCode::kInput, "in_channels");
}

TEST_F(CheckTest, NamesTheNearestFramesAndSizes) {
  request_.size.num_frames = 80;
  expect_error(ErrorCode::kUsage, "use 77 or 81");
  request_.size.num_frames = 100002;
  expect_error(ErrorCode::kUsage, "use 100001");
  request_.size.num_frames = 81;
  request_.size.width = 833;
  request_.size.height = 481;
  expect_error(ErrorCode::kUsage, "832x480");
}

TEST_F(CheckTest, ADurationIsAWholeNumberOfFrames) {
  request_.size.fps = 16;
  request_.size.duration = 5.0625;
  EXPECT_EQ(check(request_).size.num_frames, 81);
  request_.size.duration = 5;
  expect_error(ErrorCode::kUsage, "--frames 77 or 81");
}

TEST_F(CheckTest, SigmasAreTheSteps) {
  request_.sampling.sigmas = {1.0, 0.5, 0.2};
  EXPECT_EQ(check(request_).sampling.num_inference_steps, 3);
  request_.sampling.num_inference_steps = 4;
  expect_error(ErrorCode::kUsage, "--sigmas");
}

TEST_F(CheckTest, RefusesFactorsThatOverflow) {
  change("vae/config.json", {{"scale_factor_spatial", 1 << 24}});
  expect_error(ErrorCode::kInput, "scale_factor_spatial");
}

TEST_F(CheckTest, SettingsHoldTheSeedAsText) {
  request_.sampling.seed = UINT64_MAX;
  request_.prompt = "\"quoted\" 球 \n";
  const auto settings = nlohmann::json::parse(settings_json(check(request_), {.device = "cpu"}));
  EXPECT_EQ(settings.at("seed"), "18446744073709551615");
  EXPECT_EQ(settings.at("prompt"), request_.prompt);
  EXPECT_EQ(settings.at("device"), "cpu");
  EXPECT_FALSE(settings.contains("sigmas"));
}

TEST_F(CheckTest, SettingsAreFlags) {
  CheckedRequest checked = check(request_);
  checked.model.loras = {{"a.safetensors", -0.5}, {"/b:c.safetensors", 1}};
  checked.conditions.image = "a.png";
  checked.outputs.metadata = false;
  checked.encoding.quality = "high";
  checked.machine.offload = "cpu";
  const auto settings =
      nlohmann::json::parse(settings_json(checked, {.device = "cuda:1", .model_sha256 = "abc"}));
  const std::string here = fs::current_path().string();
  EXPECT_EQ(settings.at("lora"), nlohmann::json({here + "/a.safetensors:-0.5", "/b:c.safetensors:1.0"}));
  EXPECT_EQ(settings.at("image"), here + "/a.png");
  EXPECT_EQ(settings.at("model"), request_.model.model.string());
  EXPECT_EQ(settings.at("no_metadata"), true);
  EXPECT_EQ(settings.at("offload"), "cpu");
  EXPECT_EQ(settings.at("model_sha256"), "abc");
  EXPECT_EQ(settings.at("encoder"), nlohmann::json({{"codec", "h264"}, {"pix_fmt", "yuv420p"}, {"crf", 10}}));
  for (const char* absent : {"max_vram", "lora_2", "vae", "crf", "vae_tiling", "sigmas", "skipped_steps"})
    EXPECT_FALSE(settings.contains(absent)) << absent;
}

TEST_F(CheckTest, DecodedSettingsAreTheRecordedOnes) {
  CheckedRequest checked = check(request_);
  checked.arguments = {"-p", "a red ball"};
  const std::string recorded = settings_json(checked, {.device = "cuda:1", .model_sha256 = "abc"});
  DecodeTask decoded{.latents = {},
                     .model = checked.model,
                     .size = checked.size,
                     .encoding = checked.encoding,
                     .outputs = checked.outputs};
  EXPECT_EQ(decoded_settings_json(recorded, decoded), recorded);
  decoded.model = {.parts = {{"vae", "/vae"}}};
  decoded.size.fps = 4;
  auto settings = nlohmann::json::parse(decoded_settings_json(recorded, decoded));
  EXPECT_EQ(settings.at("model"), request_.model.model.string());
  EXPECT_EQ(settings.at("vae"), "/vae");
  EXPECT_EQ(settings.at("fps"), 4);
  EXPECT_FALSE(settings.contains("model_sha256"));
}

}  // namespace
}  // namespace t2v
