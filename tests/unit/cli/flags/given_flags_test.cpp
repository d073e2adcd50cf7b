#include "cli/flags/given_flags.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/flags/generate_flags.h"
#include "t2v/error.h"

namespace t2v {
namespace {

using nlohmann::ordered_json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class GivenFlags : public ::testing::Test {
 protected:
  GenerateRequest& request() { return arguments.request; }

  std::filesystem::path config(const std::string& text) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::filesystem::path file = ::testing::TempDir() + "t2v-" + test->name() + ".json";
    std::ofstream(file) << text;
    return file;
  }

  GenerateArguments arguments;
  const std::vector<FlagGroup> groups = generate_flags(arguments);
};

/// The message of the usage error that `action` ends with.
template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST_F(GivenFlags, JsonSetsFlagsOfEveryKind) {
  const auto object = ordered_json::parse(R"({
    "prompt": "ein Ball", "num_inference_steps": 7, "cfg-scale": 2.5, "seed": "18446744073709551615",
    "sampler": "euler", "sigmas": [1.0, 0.5], "vae_tiling": true, "overwrite": false, "width": null,
    "lora": ["a.safetensors:0.5", "b.safetensors"]})");
  apply_given(groups, given_from_json(object, "jobs.jsonl:3"));
  EXPECT_EQ(request().prompt, "ein Ball");
  EXPECT_EQ(request().sampling.num_inference_steps, 7);
  EXPECT_EQ(request().sampling.guidance_scale, 2.5);
  EXPECT_EQ(request().sampling.seed, 18446744073709551615U);
  EXPECT_EQ(request().sampling.sampler, "euler");
  EXPECT_THAT(request().sampling.sigmas, ElementsAre(1.0, 0.5));
  EXPECT_TRUE(request().machine.vae_tiling);
  EXPECT_FALSE(request().outputs.overwrite);
  EXPECT_FALSE(request().size.width.has_value());
  ASSERT_EQ(request().model.loras.size(), 2U);
  EXPECT_EQ(request().model.loras[0].strength, 0.5);
}

TEST_F(GivenFlags, WhatIsOnlyRecordedIsSkipped) {
  const auto object = ordered_json::parse(
      R"({"t2v": "0.1.0", "arguments": ["-p", "a"], "model_sha256": {"a": "b"}, "encoder": "x264", "matches": {}})");
  EXPECT_TRUE(flags_of_settings(object).empty());
  EXPECT_TRUE(read_config(config(object.dump())).empty());
  EXPECT_EQ(refusal([&] { given_from_json(object, "jobs.jsonl:3"); }),
            "jobs.jsonl:3: t2v: got what is recorded about a clip, expected a flag; leave it out");
}

TEST_F(GivenFlags, OnlyTheCommandLineReadsStandardInput) {
  apply_given(groups, {{"prompt-file", {"-"}, "--prompt-file"}});
  EXPECT_EQ(arguments.prompt_file, "-");
  const auto row = given_from_json(ordered_json::parse(R"({"prompt_file": "-"})"), "jobs.jsonl:3");
  EXPECT_THAT(refusal([&] { apply_given(groups, row); }), StartsWith("jobs.jsonl:3: prompt_file: got \"-\""));
}

TEST_F(GivenFlags, JsonErrorsNameThePlaceAndTheKey) {
  const auto message = [&](const char* text) {
    return refusal([&] { apply_given(groups, given_from_json(ordered_json::parse(text), "jobs.jsonl:3")); });
  };
  EXPECT_EQ(message(R"({"num_inference_stps": 3})"),
            "jobs.jsonl:3: unknown key \"num_inference_stps\"; did you mean \"num_inference_steps\"?");
  EXPECT_THAT(message(R"({"zyzzyva": 3})"), HasSubstr("--help"));
  EXPECT_THAT(message(R"({"steps": 0})"),
              StartsWith("jobs.jsonl:3: steps: got \"0\", expected a whole number"));
  EXPECT_THAT(message(R"({"steps": 2.5})"), HasSubstr("whole number"));
  EXPECT_THAT(message(R"({"steps": {"a": 1}})"), StartsWith("jobs.jsonl:3: steps: got an object"));
  EXPECT_THAT(message(R"({"sigmas": [[1]]})"), HasSubstr("a list in a list"));
  EXPECT_THAT(message(R"({"prompt": ["a", "b"]})"), StartsWith("jobs.jsonl:3: prompt: got a list of 2"));
  EXPECT_THAT(message(R"({"width": []})"), StartsWith("jobs.jsonl:3: width: got a list of 0"));
  EXPECT_THAT(message(R"({"overwrite": "yes"})"), HasSubstr("true or false"));
  EXPECT_THAT(message(R"({"sampler": "eulr"})"), HasSubstr("the nearest is euler"));
  EXPECT_THAT(message(R"({"config": "x.json"})"), HasSubstr("command line"));
  // Two names of one flag.
  EXPECT_THAT(message(R"({"steps": 3, "num-inference-steps": 4})"),
              StartsWith("jobs.jsonl:3: num-inference-steps: got the flag a second time"));
  EXPECT_LT(message(("{\"" + std::string(1 << 20, 'x') + "\": 3}").c_str()).size(), 300U);
}

TEST_F(GivenFlags, ConfigKnowsTheLines) {
  const auto file =
      config("{\n  \"steps\": 4,\n\n  \"lora\": [\n    \"a.safetensors\"\n  ],\n  \"fps\": 8}\n");
  const auto given = read_config(file);
  ASSERT_EQ(given.size(), 3U);
  EXPECT_EQ(given[0].where, file.string() + ":2: steps");
  EXPECT_EQ(place_of(given[1]), file.string() + ":4");
  EXPECT_EQ(place_of(given[2]), file.string() + ":7");
}

TEST_F(GivenFlags, ConfigErrorsNameTheLine) {
  const auto message = [&](const std::string& text) {
    return refusal([&] { apply_given(groups, read_config(config(text))); });
  };
  const std::string file = config("").string();
  for (const auto& [text, line, said] : std::vector<std::tuple<std::string, int, std::string>>{
           {"", 1, "not JSON"},
           {"[]", 1, "no object"},
           {"{\"steps\": 4,\n}", 2, "not JSON"},
           {"{\"steps\": 4\n\"fps\": 3}", 2, "not JSON"},
           {"{\"steps\": 4}\n\n x", 3, "not JSON"},
           {"{\"prompt\": \"\xff\"}", 1, "not JSON"},
           {"{\n\n\"guidance_scale\": 1e999}", 3, "too large"},
           {"{\n\"steps\": 4,\n\"stepz\": 4}", 3, "did you mean \"steps\"?"},
           {"{\n\"steps\": 4,\n\"steps\": 4}", 3, "a second time"},
           {"{\n\"steps\": 4,\n\"num_inference_steps\": 4}", 3, "a second time"},
           {"{\n\n\"steps\": \"four\"}", 3, "from 1 to 1000"},
       }) {
    const std::string got = message(text);
    EXPECT_THAT(got, StartsWith(file + ':' + std::to_string(line) + ':')) << text;
    EXPECT_THAT(got, HasSubstr(said)) << text;
  }
  EXPECT_THAT(message(std::string(2 << 20, ' ')), HasSubstr("1 MiB"));
  EXPECT_THAT(message(std::string(100000, '[')), HasSubstr("not JSON"));
  EXPECT_THAT(message("{\"steps\": " + std::string(100000, '[') + std::string(100000, ']') + "}"),
              HasSubstr("a list in a list"));
  EXPECT_THAT(refusal([] { read_config("missing.json"); }), HasSubstr("no such file"));
  EXPECT_THAT(refusal([] { read_config(::testing::TempDir()); }), HasSubstr("a folder"));
}

TEST_F(GivenFlags, EveryPresetIsAConfig) {
  int presets = 0;
  const auto folder = std::filesystem::path(T2V_FIXTURES).parent_path().parent_path() / "configs";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    GenerateArguments filled;
    EXPECT_NO_THROW(apply_given(generate_flags(filled), read_config(entry.path()))) << entry.path();
    EXPECT_TRUE(filled.request.sampling.num_inference_steps.has_value()) << entry.path();
    ++presets;
  }
  EXPECT_GT(presets, 10);
}

TEST_F(GivenFlags, EnvironmentNamesFlags) {
  ::setenv("T2V_STEPS", "4", 1);
  ::setenv("T2V_GUIDANCE_SCALE", "", 1);
  ::setenv("T2V_VERSION", "1.2", 1);
  ::setenv("T2V_STEPZ", "4", 1);
  const auto given = given_from_environment(groups);
  const auto unused = unused_variables(groups);
  for (const char* name : {"T2V_STEPS", "T2V_GUIDANCE_SCALE", "T2V_VERSION", "T2V_STEPZ"}) ::unsetenv(name);
  ASSERT_EQ(given.size(), 1U);
  EXPECT_EQ(given[0].where, "T2V_STEPS");
  apply_given(groups, given);
  EXPECT_EQ(request().sampling.num_inference_steps, 4);
  const auto unknown = std::find_if(unused.begin(), unused.end(),
                                    [](const auto& variable) { return variable.name == "T2V_STEPZ"; });
  ASSERT_NE(unknown, unused.end());
  EXPECT_EQ(unknown->warning, "T2V_STEPZ names no flag: not used; did you mean T2V_STEPS?");
  EXPECT_THAT(refusal([&] {
                apply_given(groups, {{"steps", {"x"}, "T2V_STEPS"}});
              }),
              StartsWith("T2V_STEPS: got \"x\""));
}

TEST_F(GivenFlags, TheNearerHolds) {
  const std::vector<GivenFlag> far = {{"lora", {"a"}, "far"},          {"steps", {"9"}, "far"},
                                      {"sigmas", {"1", "0.5"}, "far"}, {"width", {"32"}, "far"},
                                      {"height", {"48"}, "far"},       {"guidance_scale_2", {"3"}, "far"},
                                      {"frames", {"5"}, "far"}};
  const std::vector<GivenFlag> near = {{"num_inference_steps", {"4"}, "near"},
                                       {"lora", {"b", "c"}, "near"},
                                       {"height", {"64"}, "near"},
                                       {"guidance_scale", {"2"}, "near"},
                                       {"duration", {"2"}, "near"}};
  apply_given(groups, merge(groups, near, far));
  EXPECT_EQ(request().sampling.num_inference_steps, 4);
  EXPECT_TRUE(request().sampling.sigmas.empty());
  EXPECT_EQ(request().size.width, 32);
  EXPECT_EQ(request().size.height, 64);
  EXPECT_FALSE(request().sampling.guidance_scale_2.has_value());
  EXPECT_FALSE(request().size.num_frames.has_value());
  EXPECT_EQ(request().size.duration, 2);
  ASSERT_EQ(request().model.loras.size(), 2U);
  EXPECT_EQ(request().model.loras[0].file, "b");
}

TEST_F(GivenFlags, AListOfNothingTakesBack) {
  apply_given(groups, merge(groups, {{"lora", {}, "near"}}, {{"lora", {"a"}, "far"}}));
  EXPECT_TRUE(request().model.loras.empty());
}

}  // namespace
}  // namespace t2v
