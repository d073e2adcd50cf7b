#include "flags.h"

#include <algorithm>

namespace t2v {
namespace {

const std::vector<std::string> kProgressStyles = {"auto", "bar", "plain", "json", "none"};
const std::vector<std::string> kColors = {"auto", "always", "never"};
constexpr const char* kOfModel = "the model's";

using Names = std::vector<std::string>;

// Each of these is a kind of flag: what is allowed and how it gets into the request.

template <typename Target>
Flag integer(Names names, std::string help, Range<int64_t> range, Target target, std::string fallback) {
  return {std::move(names),
          "N",
          std::move(help),
          describe(range),
          std::move(fallback),
          [=](const FlagValue& value, Arguments& a) { a.request.*target = parse_integer(value, range); }};
}

template <typename Target>
Flag number(Names names, std::string help, Range<double> range, Target target, std::string fallback) {
  return {std::move(names),
          "X",
          std::move(help),
          describe(range),
          std::move(fallback),
          [=](const FlagValue& value, Arguments& a) { a.request.*target = parse_number(value, range); }};
}

template <typename Target>
Flag choice(Names names, std::string word, std::string help, const std::vector<std::string>& choices,
            Target target, std::string fallback) {
  return {std::move(names),
          std::move(word),
          std::move(help),
          describe(choices),
          std::move(fallback),
          [=](const FlagValue& value, Arguments& a) { a.request.*target = parse_choice(value, choices); }};
}

Flag path(Names names, std::string word, std::string help, std::filesystem::path GenerateRequest::*target,
          std::string fallback = "") {
  return {std::move(names),
          std::move(word),
          std::move(help),
          "",
          std::move(fallback),
          [=](const FlagValue& value, Arguments& a) { a.request.*target = parse_path(value); }};
}

Flag talk(Names names, std::string help, std::function<void(Arguments&)> set) {
  return {
      std::move(names), "", std::move(help), "", "", [set = std::move(set)](const FlagValue&, Arguments& a) {
        set(a);
      }};
}

Flag talk_choice(Names names, std::string word, std::string help, const std::vector<std::string>& choices,
                 std::string Arguments::*target) {
  return {std::move(names),
          std::move(word),
          std::move(help),
          describe(choices),
          Arguments{}.*target,
          [=](const FlagValue& value, Arguments& a) { a.*target = parse_choice(value, choices); }};
}

void set_prompt(const FlagValue& value, Arguments& a) {
  a.prompt_file = value.text == "-" ? "-" : "";
  a.request.prompt = value.text == "-" ? "" : value.text;
}

void set_size(const FlagValue& value, Arguments& a) {
  const Size size = parse_size(value);
  a.request.width = size.width;
  a.request.height = size.height;
}

/// --frames and --duration say the same thing: the last one holds.
void set_frames(const FlagValue& value, Arguments& a) {
  a.request.num_frames = parse_integer(value, kFrameCounts);
  a.request.duration.reset();
}

void set_duration(const FlagValue& value, Arguments& a) {
  a.request.duration = parse_number(value, kDurations);
  a.request.num_frames.reset();
}

FlagGroup what_to_show() {
  return {
      "What to show",
      {{{"--prompt", "-p"}, "TEXT", "What the clip shows; \"-\" reads standard input", "", "", set_prompt},
       {{"--prompt-file"},
        "FILE",
        "The same from a file that holds one prompt; \"-\" reads standard input",
        "",
        "",
        [](const FlagValue& value, Arguments& a) { a.prompt_file = parse_path(value); }},
       {{"--negative-prompt", "-n"},
        "TEXT",
        "What it should not show",
        "",
        kOfModel,
        [](const FlagValue& value, Arguments& a) { a.request.negative_prompt = value.text; }}}};
}

FlagGroup where_to() {
  return {"Where to",
          {path({"--output", "-o", "--save-file", "--output-path"}, "FILE",
                "The clip to write: .mp4 (H.264), .mkv, .png (numbered files, and their settings in a "
                ".json), or - "
                "for Matroska on standard output",
                &GenerateRequest::output),
           {{"--overwrite", "-y"},
            "",
            "Replace what is there; kept if the run fails",
            "",
            "",
            [](const FlagValue&, Arguments& a) { a.request.overwrite = true; }},
           path({"--save-latents"}, "FILE", "Also write the final latents (safetensors)",
                &GenerateRequest::save_latents),
           {{"--no-metadata"},
            "",
            "Leave the settings out of the clip",
            "",
            "",
            [](const FlagValue&, Arguments& a) { a.request.metadata = false; }},
           choice({"--quality"}, "WORD", "How the clip is compressed", kQualities, &GenerateRequest::quality,
                  GenerateRequest{}.quality),
           integer({"--crf"}, "H.264's own scale instead of --quality", kCrfs, &GenerateRequest::crf, "")}};
}

FlagGroup size_and_length() {
  return {"Size and length",
          {{{"--size"}, "WxH", "Width and height in pixels", describe_size(), kOfModel, set_size},
           integer({"--width", "-W"}, "Width", kSides, &GenerateRequest::width, kOfModel),
           integer({"--height", "-H"}, "Height", kSides, &GenerateRequest::height, kOfModel),
           {{"--frames", "--num-frames", "--video-frames", "--frame-num"},
            "N",
            "Number of frames",
            describe(kFrameCounts),
            kOfModel,
            set_frames},
           {{"--duration"},
            "SECONDS",
            "Length; must come out as a number of frames that the model can make",
            describe(kDurations),
            "",
            set_duration},
           number({"--fps"}, "Frames a second", kFrameRates, &GenerateRequest::fps, kOfModel)}};
}

FlagGroup sampling() {
  return {
      "Sampling",
      {{{"--seed", "-s", "--base-seed"},
        "N",
        "Same seed, same clip",
        kDescribeSeed,
        "random, and printed",
        [](const FlagValue& value, Arguments& a) { a.request.seed = parse_seed(value); }},
       integer({"--steps", "--num-inference-steps", "--sample-steps"}, "Denoising steps", kStepCounts,
               &GenerateRequest::num_inference_steps, kOfModel),
       number({"--guidance-scale", "--cfg-scale", "--sample-guide-scale"},
              "How strongly the prompt is followed; at most 1: no guidance, twice as fast", kGuidanceScales,
              &GenerateRequest::guidance_scale, kOfModel),
       number({"--flow-shift", "--shift", "--sample-shift"}, "Where the steps are spent: higher, on layout",
              kFlowShifts, &GenerateRequest::flow_shift, kOfModel),
       choice({"--sampler", "--sampling-method", "--sample-solver"}, "WORD", "The solver", kSamplers,
              &GenerateRequest::sampler, kOfModel),
       {{"--legacy-sigmas"},
        "",
        "UniPC's noise levels as diffusers up to 0.36 and the original Wan code have them",
        "",
        "",
        [](const FlagValue&, Arguments& a) { a.request.legacy_sigmas = true; }},
       {{"--sigmas"},
        "LIST",
        "The noise levels themselves, one a step, before the shift",
        kDescribeSigmas,
        "",
        [](const FlagValue& value, Arguments& a) { a.request.sigmas = parse_sigmas(value); }}}};
}

FlagGroup model_and_machine() {
  return {
      "Model and machine",
      {path({"--model", "-m"}, "FOLDER", "A Wan2.1 text-to-video checkpoint in diffusers' layout",
            &GenerateRequest::model, "the bundled model"),
       {{"--device"},
        "WORD",
        "Where to compute",
        kDescribeDevice,
        GenerateRequest{}.device,
        [](const FlagValue& value, Arguments& a) { a.request.device = parse_device(value); }},
       choice({"--dtype"}, "WORD", "Numbers of the text encoder and the transformer", kDtypes,
              &GenerateRequest::dtype, GenerateRequest{}.dtype),
       integer({"--threads"}, "Processor threads", kThreadCounts, &GenerateRequest::threads, "one a core")}};
}

FlagGroup talking() {
  return {"How it talks",
          {talk({"--quiet", "-q"}, "Only errors", [](Arguments& a) { a.log_level = LogLevel::kQuiet; }),
           talk({"--verbose", "-v"}, "Details of what is loaded and chosen",
                [](Arguments& a) { a.log_level = LogLevel::kVerbose; }),
           talk({"--json"}, "The result on standard output as JSON, not as a path",
                [](Arguments& a) { a.json = true; }),
           talk_choice({"--progress"}, "WORD", "How progress is shown on standard error", kProgressStyles,
                       &Arguments::progress),
           talk_choice({"--color"}, "WORD", "Colour on standard error; NO_COLOR is honoured", kColors,
                       &Arguments::color),
           talk({"--help", "-h"}, "This text", [](Arguments& a) { a.help = true; }),
           talk({"--version"}, "The version", [](Arguments& a) { a.version = true; })}};
}

}  // namespace

const std::vector<FlagGroup>& flag_groups() {
  static const std::vector<FlagGroup> groups = {what_to_show(), where_to(),          size_and_length(),
                                                sampling(),     model_and_machine(), talking()};
  return groups;
}

const Flag* find_flag(const std::string& name) {
  std::string spelled = name;
  if (spelled.rfind("--", 0) == 0) std::replace(spelled.begin(), spelled.end(), '_', '-');
  for (const FlagGroup& group : flag_groups()) {
    for (const Flag& flag : group.flags) {
      if (std::find(flag.names.begin(), flag.names.end(), spelled) != flag.names.end()) return &flag;
    }
  }
  return nullptr;
}

std::vector<std::string> flag_names() {
  std::vector<std::string> names;
  for (const FlagGroup& group : flag_groups()) {
    for (const Flag& flag : group.flags) names.insert(names.end(), flag.names.begin(), flag.names.end());
  }
  return names;
}

}  // namespace t2v
