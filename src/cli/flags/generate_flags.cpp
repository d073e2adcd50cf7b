#include "generate_flags.h"

#include <algorithm>

#include "t2v/error.h"

namespace t2v {
namespace {

/// Some of what --device takes.
const Names kDevices = {"cpu", "cuda", "auto"};

Flag deciding(Names others, Flag flag) {
  flag.decides = std::move(others);
  return flag;
}

Flag replacing(Names others, Flag flag) {
  flag.replaces = std::move(others);
  return flag;
}

Flag completing(const Names& words, Flag flag) {
  flag.choices = words;
  return flag;
}

FlagGroup what_to_show(GenerateArguments& arguments) {
  GenerateRequest& request = arguments.request;
  const auto set_prompt = [&arguments](const FlagValue& value) {
    // A "-" that nobody typed, in a row of a batch or the settings of a clip, is a prompt like any other.
    const bool from_input = value.text == "-" && value.flag == "--prompt";
    arguments.prompt_file = from_input ? "-" : "";
    arguments.request.prompt = from_input ? "" : value.text;
  };
  const auto set_prompt_file = [&arguments](const FlagValue& value) {
    arguments.prompt_file = parse_path(value);
    if (value.text != "-" || value.flag == "--prompt-file") return;
    throw Error(ErrorCode::kUsage, {.doing = value.flag,
                                    .got = "\"-\"",
                                    .expected = "the name of a file",
                                    .advice = "only the command line can ask for standard input"});
  };
  const auto set_negative_prompt = [&request](const FlagValue& value) {
    request.negative_prompt = value.text;
  };
  return {
      "What to show",
      {{{"--prompt", "-p"}, "TEXT", "What the clip shows; \"-\" reads standard input", "", "", set_prompt},
       deciding({"--prompt"}, {{"--prompt-file"},
                               "FILE",
                               "The same from a file that holds one prompt; \"-\" reads standard input",
                               "",
                               "",
                               set_prompt_file}),
       {{"--negative-prompt", "-n"}, "TEXT", "What it should not show", "", kOfModel, set_negative_prompt}}};
}

FlagGroup what_to_start_from(GenerateRequest& request) {
  const auto add_reference = [&request](const FlagValue& value) {
    request.conditions.reference_images.push_back(parse_path(value));
  };
  return {
      "What to start from, for models that take it",
      {path_flag({"--image", "-i", "--init-img"}, "FILE", "The picture that the clip begins with",
                 request.conditions.image),
       path_flag({"--end-image", "--end-img", "--last-frame"}, "FILE", "The picture that it ends with",
                 request.conditions.end_image),
       path_flag({"--control-video", "--src-video"}, "FILE", "A clip to follow or to change (VACE)",
                 request.conditions.control_video),
       path_flag({"--control-mask", "--src-mask"}, "FILE",
                 "A clip, white where --control-video is to be made anew", request.conditions.control_mask),
       {{"--reference-image", "--src-ref-images"},
        "FILE",
        "A picture of what is to appear (VACE); repeatable",
        "",
        "",
        add_reference,
        true},
       number_flag({"--conditioning-scale"}, "How much these count (VACE)", kConditioningScales,
                   request.conditions.conditioning_scale, "1")}};
}

FlagGroup where_to(GenerateArguments& arguments) {
  GenerateRequest& request = arguments.request;
  return {
      "Where to",
      {path_flag({"--output", "-o", "--save-file", "--output-path"}, "FILE",
                 "The clip to write: .mp4 (H.264), .mkv, .webm (VP9), .mov (ProRes), .gif, .png (numbered "
                 "files, and their settings in a .json), or - for Matroska on standard output",
                 request.outputs.output),
       switch_flag({"--overwrite", "-y"}, "Replace what is there; kept if the run fails",
                   request.outputs.overwrite, true),
       switch_flag({"--skip-existing"}, "Do nothing if it is there, whole and as long as asked for",
                   arguments.skip_existing, true),
       path_flag({"--save-latents"}, "FILE", "Also write the final latents (safetensors)",
                 request.outputs.save_latents),
       switch_flag({"--no-metadata"}, "Leave the settings out of the clip", request.outputs.metadata, false),
       replacing({"--crf"}, choice_flag({"--quality"}, "How the clip is compressed; lossless: .mkv or .png",
                                        kQualities, request.encoding.quality, request.encoding.quality)),
       integer_flag({"--crf"},
                    "The codec's own scale instead of --quality; 0 is best. draft, good, high are 23, 16, "
                    "10 of H.264, 25, 16, 10 of H.265 (both to 51), 38, 22, 12 of VP9; ProRes has LT and HQ",
                    kCrfs, request.encoding.crf),
       choice_flag({"--codec"}, "Another codec than the container's first, where it holds it", kCodecs,
                   request.encoding.codec, "the container's"),
       choice_flag({"--pix-fmt"}, "How colours are stored, where the codec has it", kPixFmts,
                   request.encoding.pix_fmt, "the codec's")}};
}

FlagGroup look(GenerateArguments& arguments) {
  const auto set_preview = [&arguments](const FlagValue& value) {
    GenerateRequest& request = arguments.request;
    request.outputs.shows_previews = value.text == "terminal";
    request.outputs.preview = request.outputs.shows_previews ? "" : parse_path(value);
  };
  return {"Look",
          {{{"--preview"},
            "FILE",
            "A small clip of what is sampled so far, replaced as it goes on: a name as of --output; or "
            "\"terminal\": pictures in kitty, Ghostty, iTerm2 or WezTerm",
            "",
            "",
            set_preview},
           integer_flag({"--preview-interval"}, "Steps from one preview to the next", kPreviewIntervals,
                        arguments.request.outputs.preview_interval, "1"),
           path_flag({"--sheet"}, "FILE.png", "A contact sheet: frames of the clip, with their numbers",
                     arguments.sheet)}};
}

Flag size_flag(GenerateRequest& request) {
  const auto set = [&request](const FlagValue& value) {
    const Size size = parse_size(value);
    request.size.width = size.width;
    request.size.height = size.height;
  };
  return deciding(
      {"--width", "--height"},
      replacing({"--aspect"},
                {{"--size"}, "WxH", "Width and height in pixels", describe_size(), kOfModel, set}));
}

Flag aspect_flag(GenerateRequest& request) {
  const auto set = [&request](const FlagValue& value) { request.size.aspect = parse_aspect(value); };
  return deciding(
      {"--width", "--height"},
      replacing({"--size"},
                {{"--aspect"},
                 "W:H",
                 "The shape: with --width or --height, or alone with at most the model's number of pixels",
                 kDescribeAspect,
                 "",
                 set}));
}

// --frames and --duration say the same thing: the last one holds.
Flag frames_flag(GenerateRequest& request) {
  const auto set = [&request](const FlagValue& value) {
    request.size.num_frames = parse_integer(value, kFrameCounts);
    request.size.duration.reset();
  };
  return {{"--frames", "--num-frames", "--video-frames", "--frame-num"},
          "N",
          "Number of frames",
          describe(kFrameCounts),
          kOfModel,
          set};
}
Flag duration_flag(GenerateRequest& request) {
  const auto set = [&request](const FlagValue& value) {
    request.size.duration = parse_number(value, kDurations);
    request.size.num_frames.reset();
  };
  return deciding({"--frames"}, {{"--duration"},
                                 "SECONDS",
                                 "Length; must come out as a number of frames that the model can make",
                                 describe(kDurations),
                                 "",
                                 set});
}

FlagGroup size_and_length(GenerateRequest& request) {
  return {"Size and length",
          {size_flag(request), integer_flag({"--width", "-W"}, "Width", kSides, request.size.width, kOfModel),
           integer_flag({"--height", "-H"}, "Height", kSides, request.size.height, kOfModel),
           aspect_flag(request), frames_flag(request), duration_flag(request),
           number_flag({"--fps"}, "Frames a second", kFrameRates, request.size.fps, kOfModel)}};
}

FlagGroup sampling(GenerateRequest& request) {
  const auto set_seed = [&request](const FlagValue& value) { request.sampling.seed = parse_seed(value); };
  const auto set_sigmas = [&request](const FlagValue& value) {
    request.sampling.sigmas = parse_sigmas(value);
  };
  return {
      "Sampling",
      {{{"--seed", "-s", "--base-seed"},
        "N",
        "Same seed, same clip",
        kDescribeSeed,
        "random, and printed",
        set_seed},
       replacing({"--sigmas"},
                 integer_flag({"--steps", "--num-inference-steps", "--sample-steps"}, "Denoising steps",
                              kStepCounts, request.sampling.num_inference_steps, kOfModel)),
       replacing({"--guidance-scale-2"},
                 number_flag({"--guidance-scale", "--cfg-scale", "--sample-guide-scale"},
                             "How strongly the prompt is followed; at most 1: no guidance, twice as fast",
                             kGuidanceScales, request.sampling.guidance_scale, kOfModel)),
       number_flag({"--guidance-scale-2"}, "The same for the low-noise expert, where there are two",
                   kGuidanceScales, request.sampling.guidance_scale_2, "as --guidance-scale, or the model's"),
       number_flag({"--boundary-ratio", "--moe-boundary"},
                   "The noise level at which the low-noise expert takes over", kBoundaryRatios,
                   request.sampling.boundary_ratio, kOfModel),
       number_flag({"--flow-shift", "--shift", "--sample-shift"},
                   "Where the steps are spent: higher, on layout", kFlowShifts, request.sampling.flow_shift,
                   kOfModel),
       choice_flag({"--sampler", "--sampling-method", "--sample-solver"}, "The solver", kSamplers,
                   request.sampling.sampler, kOfModel),
       switch_flag({"--legacy-sigmas"},
                   "UniPC's noise levels as diffusers up to 0.36 and the original Wan code have them",
                   request.sampling.legacy_sigmas, true),
       deciding({"--steps"}, {{"--sigmas"},
                              "LIST",
                              "The noise levels themselves, one a step, before the shift",
                              kDescribeSigmas,
                              "",
                              set_sigmas})}};
}

FlagGroup speed_at_a_cost(GenerateRequest& request) {
  const auto add_option = [&request](const FlagValue& value) {
    request.caching.options.push_back(value.text);
  };
  return {
      "Speed at a cost in quality",
      {replacing({"--cache-option"},
                 choice_flag({"--cache-mode"},
                             "Skip steps that change little; for 20 steps and more. The run says how many",
                             kCacheModes, request.caching.mode, request.caching.mode)),
       {{"--cache-option"},
        "KEY=VALUE",
        "threshold=X: higher skips more; first=N, last=N: so many are always computed; "
        "coefficients=A,B,... of teacache; max-skip=N, ratios=A,B,... and calibrate=yes, which measures "
        "them, of magcache; repeatable",
        "",
        "the method's",
        add_option,
        true}}};
}

/// The flag of a component, which is called like it.
Flag part_flag(const std::string& name, const char* description, GenerateRequest& request) {
  std::string component = name.substr(2);
  std::replace(component.begin(), component.end(), '-', '_');
  const auto set = [&request, component](const FlagValue& value) {
    request.model.parts[component] = parse_path(value);
  };
  return {{name}, "PATH", description, "", "", set};
}

FlagGroup model(GenerateRequest& request) {
  const auto add_lora = [&request](const FlagValue& value) {
    request.model.loras.push_back(parse_lora(value));
  };
  const auto add_lora_2 = [&request](const FlagValue& value) {
    request.model.loras_2.push_back(parse_lora(value));
  };
  return {"Model",
          {path_flag({"--model", "-m"}, "PATH",
                     "A Wan checkpoint: a folder, a file, a short name or org/repo (t2v pull)",
                     request.model.model, "tiny-world"),
           part_flag("--transformer",
                     "This part instead of the model's: a folder or a file. Without --model the rest has to "
                     "be named as well",
                     request),
           part_flag("--transformer-2", "The same for the low-noise expert", request),
           part_flag("--vae", "The same", request),
           part_flag("--text-encoder", "The same", request),
           part_flag("--tokenizer", "The same", request),
           part_flag("--image-encoder", "The same", request),
           {{"--lora"},
            "PATH[:STRENGTH]",
            "A LoRA to merge into the transformer; may be given again",
            "",
            "",
            add_lora,
            true},
           {{"--lora-2"},
            "PATH[:STRENGTH]",
            "The same for the low-noise expert; may be given again",
            "",
            "",
            add_lora_2,
            true}}};
}

FlagGroup machine(GenerateRequest& request) {
  const auto set_device = [&request](const FlagValue& value) {
    request.machine.device = parse_device(value);
  };
  const auto set_text_encoder_device = [&request](const FlagValue& value) {
    request.machine.text_encoder_device = parse_device(value);
  };
  return {
      "Machine",
      {completing(
           kDevices,
           {{"--device"}, "WORD", "Where to compute", kDescribeDevice, request.machine.device, set_device}),
       choice_flag({"--dtype"},
                   "Numbers of text encoder and transformer. float16: of the transformer, beside a text "
                   "encoder in float32; fp8: its matrices are kept in 8 bits and computed in bfloat16",
                   kDtypes, request.machine.dtype, request.machine.dtype),
       choice_flag(
           {"--offload"},
           "Where the transformer's blocks wait for their turn: none on the device; auto: cpu if --max-vram "
           "asks for it, else none",
           kOffloads, request.machine.offload, request.machine.offload),
       number_flag({"--max-vram"}, "GiB of the GPU to use at most; blocks that do not fit wait elsewhere",
                   kMaxVrams, request.machine.max_vram),
       completing(kDevices, {{"--text-encoder-device"},
                             "WORD",
                             "Where to encode the prompt",
                             kDescribeDevice,
                             "as --device",
                             set_text_encoder_device}),
       path_flag({"--embeds-cache"}, "DIR", "Keeps what the text encoder makes of prompts, for later runs",
                 request.machine.embeds_cache),
       switch_flag({"--vae-tiling"}, "Encode and decode in tiles: less memory, not the same pixels",
                   request.machine.vae_tiling, true),
       integer_flag({"--threads"}, "Processor threads", kThreadCounts, request.machine.threads,
                    "one a core")}};
}

FlagGroup from_elsewhere(GenerateArguments& arguments) {
  return {"Values from elsewhere",
          {path_flag({"--config"}, "FILE",
                     "Flags as a JSON object, {\"steps\": 20}: one of your own, a preset, or what "
                     "inspect says of a clip",
                     arguments.config)}};
}

}  // namespace

std::vector<FlagGroup> generate_flags(GenerateArguments& arguments) {
  GenerateRequest& request = arguments.request;
  return {what_to_show(arguments),     where_to(arguments),      look(arguments),
          what_to_start_from(request), size_and_length(request), sampling(request),
          speed_at_a_cost(request),    model(request),           machine(request),
          from_elsewhere(arguments)};
}

}  // namespace t2v
