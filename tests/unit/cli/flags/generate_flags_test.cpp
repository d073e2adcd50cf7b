#include "cli/flags/generate_flags.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/flags/given_flags.h"
#include "t2v/checker.h"

namespace t2v {
namespace {

// A field that is added to a part stops this test from compiling: it is to be recorded and read again.

Conditions all_conditions() {
  Conditions conditions{"/a.png", "/b.png", "/c.mp4", "/d.mp4", {"/e.png", "/f.png"}, 0.5};
  [[maybe_unused]] const auto& [image, end_image, video, mask, references, scale] = conditions;
  return conditions;
}

CheckedSampling all_of_sampling() {
  CheckedSampling sampling{3, 2.5, 1.5, 0.25, "euler", 4.5, {1, 0.75, 0.5}, true, UINT64_MAX};
  [[maybe_unused]] const auto& [steps, scale, scale_2, boundary, sampler, shift, sigmas, legacy, seed] =
      sampling;
  return sampling;
}

Machine all_of_machine() {
  // What embeds_cache keeps changes no clip: it is not recorded.
  Machine machine{"cuda:1", "bfloat16", 3, "cpu", 7.5, "cpu", {}, true};
  [[maybe_unused]] const auto& [device, dtype, threads, offload, vram, text_device, embeds, tiling] = machine;
  return machine;
}

Encoding all_of_encoding() {
  Encoding encoding{"high", 7, "h265", "yuv444p"};
  [[maybe_unused]] const auto& [quality, crf, codec, pix_fmt] = encoding;
  return encoding;
}

CheckedRequest all_settings() {
  CheckedRequest request{.prompt = "a red ball", .negative_prompt = "blurry"};
  request.model = {"/model", {{"transformer", "/1"}, {"transformer_2", "/2"}, {"vae", "/3"}}, {}, {}};
  request.model.parts.insert({{"text_encoder", "/4"}, {"tokenizer", "/5"}, {"image_encoder", "/6"}});
  request.model.loras = {{"/a", 0.5}, {"/b", 1}};
  request.model.loras_2 = {{"/c", -1}};
  request.conditions = all_conditions();
  request.size = {.height = 64, .width = 32, .num_frames = 9, .fps = 12.5};
  request.sampling = all_of_sampling();
  request.caching = {"teacache", {"threshold=0.25", "first=2"}};
  request.machine = all_of_machine();
  request.encoding = all_of_encoding();
  request.outputs = {.output = "/clip.mkv", .metadata = false};
  return request;
}

TEST(Flags, TakeEverySettingThatAClipRecords) {
  const CheckedRequest recorded = all_settings();
  const auto settings = nlohmann::ordered_json::parse(settings_of(recorded));
  GenerateArguments arguments;
  apply_given(generate_flags(arguments), given_from_json(flags_of_settings(settings), "settings"));
  const GenerateRequest& read = arguments.request;

  EXPECT_EQ(read.prompt, recorded.prompt);
  EXPECT_EQ(read.negative_prompt, recorded.negative_prompt);
  EXPECT_EQ(read.model, recorded.model);
  EXPECT_EQ(read.conditions, recorded.conditions);
  const auto& [height, width, num_frames, fps] = recorded.size;
  EXPECT_EQ(read.size, (ClipSize{.height = height, .width = width, .num_frames = num_frames, .fps = fps}));
  const auto& [steps, scale, scale_2, boundary, sampler, shift, sigmas, legacy, seed] = recorded.sampling;
  EXPECT_EQ(read.sampling, (Sampling{steps, scale, scale_2, boundary, sampler, shift, sigmas, legacy, seed}));
  EXPECT_EQ(read.caching, recorded.caching);
  EXPECT_EQ(read.machine, recorded.machine);
  EXPECT_EQ(read.encoding, recorded.encoding);
  EXPECT_EQ(read.outputs.metadata, recorded.outputs.metadata);
}

}  // namespace
}  // namespace t2v
