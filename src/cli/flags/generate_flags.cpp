#include "generate_flags.h"

#include <algorithm>

#include "media/formats/formats.h"
#include "usage_error.h"

namespace t2v {
namespace {

// Aliases make command lines of other programs work: diffusers, original code of models,
// stable-diffusion.cpp. The list of aliases is complete and gets no new entries.
// tests/cli/flags_test.py holds a copy of the list.

/// A flag that only chooses where a clip is computed.
Flag placing(Flag flag) {
  flag.decides_clip = false;
  return flag;
}

FlagGroup prompt_flags(GenerateArguments& arguments) {
  GenerateRequest& request = arguments.request;
  const auto set_prompt = [&arguments](const FlagValue& value) {
    // In a row of a batch and in the settings of a clip, "-" is a prompt like any other.
    const bool from_input = value.text == "-" && value.flag == "--prompt";
    arguments.prompt_file = from_input ? "-" : "";
    arguments.request.prompt = from_input ? "" : value.text;
  };
  const auto set_prompt_file = [&arguments](const FlagValue& value) {
    arguments.prompt_file = parse_path(value);
    if (value.text != "-" || value.flag == "--prompt-file") return;
    refuse(value.flag, "\"-\"", "the name of a file", "only the command line can ask for standard input");
  };
  const auto set_negative_prompt = [&request](const FlagValue& value) {
    request.negative_prompt = value.text;
  };
  return {"Prompt",
          {value_flag({"--prompt", "-p"}, "TEXT", "What the clip shows; \"-\" reads standard input", "",
                      set_prompt),
           deciding({"--prompt"}, value_flag({"--prompt-file"}, "FILE",
                                             "A file that holds the prompt; \"-\" reads standard input", "",
                                             set_prompt_file)),
           defaulting(kModelDefault, value_flag({"--negative-prompt", "-n"}, "TEXT",
                                                "What the clip should not show", "", set_negative_prompt))}};
}

FlagGroup output_flags(Outputs& outputs, Encoding& encoding, bool& skip_existing) {
  return {
      "Output",
      {path_flag({"--output", "-o", "--save-file", "--output-path"}, "FILE",
                 "The clip to write. Its extension is the format: " + describe_containers() +
                     " (numbered files, with the settings in a .json); - writes Matroska to standard output",
                 outputs.output),
       switch_flag({"--overwrite", "-y"}, "Replace existing files; they stay if the run fails",
                   outputs.overwrite, true),
       switch_flag({"--skip-existing"},
                   "Render nothing if the clip exists, is complete and has the requested length",
                   skip_existing, true),
       path_flag({"--save-latents"}, "FILE", "Also write the final latents (safetensors)",
                 outputs.save_latents),
       switch_flag({"--no-metadata"}, "Do not record the settings in the clip", outputs.metadata, false),
       replacing({"--crf"},
                 choice_flag({"--quality"}, "Compression; lossless needs " + describe_lossless_containers(),
                             quality_names(), encoding.quality, encoding.quality)),
       integer_flag({"--crf"},
                    "Compression on the codec's own scale, instead of --quality; 0 is best. draft, good "
                    "and high are " +
                        describe_crf_scales() + ". ProRes has only its profiles LT and HQ",
                    kCrfs, encoding.crf),
       choice_flag({"--codec"}, "Another codec that the container supports", codec_names(), encoding.codec,
                   "the container's"),
       choice_flag({"--pix-fmt"}, "Another pixel format that the codec supports", pix_fmt_names(),
                   encoding.pix_fmt, "the codec's")}};
}

FlagGroup preview_flags(Outputs& outputs, std::filesystem::path& sheet) {
  const auto set_preview = [&outputs](const FlagValue& value) {
    outputs.shows_previews = value.text == "terminal";
    outputs.preview = outputs.shows_previews ? "" : parse_path(value);
  };
  return {"Previews and contact sheet",
          {value_flag(
               {"--preview"}, "FILE",
               "Write a small clip of the latents so far, and replace it as sampling goes on; FILE is as for "
               "--output. \"terminal\" shows pictures in kitty, Ghostty, iTerm2 or WezTerm instead",
               "", set_preview),
           integer_flag({"--preview-interval"}, "Steps from one preview to the next", kPreviewIntervals,
                        outputs.preview_interval, "1"),
           path_flag({"--sheet"}, "FILE.png", "Write a contact sheet: frames of the clip with their numbers",
                     sheet)}};
}

FlagGroup condition_flags(Conditions& conditions) {
  const auto add_reference = [&conditions](const FlagValue& value) {
    conditions.reference_images.push_back(parse_path(value));
  };
  return {
      "Image and video conditions, for models that take them",
      {path_flag({"--image", "-i", "--init-img"}, "FILE", "The first frame of the clip", conditions.image),
       path_flag({"--end-image", "--end-img", "--last-frame"}, "FILE", "The last frame of the clip",
                 conditions.end_image),
       path_flag({"--control-video", "--src-video"}, "FILE", "A clip to follow or to change (VACE)",
                 conditions.control_video),
       path_flag({"--control-mask", "--src-mask"}, "FILE",
                 "A clip that is white where --control-video is replaced (VACE)", conditions.control_mask),
       repeatable(value_flag({"--reference-image", "--src-ref-images"}, "FILE",
                             "A picture of something that should appear (VACE); repeatable", "",
                             add_reference)),
       number_flag({"--conditioning-scale"}, "Strength of these conditions (VACE)", kConditioningScales,
                   conditions.conditioning_scale, "1")}};
}

Flag size_flag(ClipSize& size) {
  const auto set = [&size](const FlagValue& value) {
    const Size given = parse_size(value);
    size.width = given.width;
    size.height = given.height;
  };
  return deciding({"--width", "--height"},
                  replacing({"--aspect"}, defaulting(kModelDefault, value_flag({"--size"}, "WxH",
                                                                               "Width and height in pixels",
                                                                               describe_size(), set))));
}

Flag aspect_flag(ClipSize& size) {
  const auto set = [&size](const FlagValue& value) { size.aspect = parse_aspect(value); };
  return deciding(
      {"--width", "--height"},
      replacing({"--size"},
                value_flag({"--aspect"}, "W:H",
                           "Aspect ratio, for --width or --height; alone, the clip has at most as many "
                           "pixels as the model's default size",
                           kDescribeAspect, set)));
}

// --frames and --duration give the same value; the last one counts.
Flag frames_flag(ClipSize& size) {
  const auto set = [&size](const FlagValue& value) {
    size.num_frames = parse_integer(value, kFrameCounts);
    size.duration.reset();
  };
  return defaulting(kModelDefault, value_flag({"--frames", "--num-frames", "--video-frames", "--frame-num"},
                                              "N", "Number of frames", describe(kFrameCounts), set));
}
Flag duration_flag(ClipSize& size) {
  const auto set = [&size](const FlagValue& value) {
    size.duration = parse_number(value, kDurations);
    size.num_frames.reset();
  };
  return deciding({"--frames"}, value_flag({"--duration"}, "SECONDS",
                                           "Length; must be a number of frames that the model can make",
                                           describe(kDurations), set));
}

FlagGroup size_flags(ClipSize& size) {
  return {
      "Size and length",
      {size_flag(size), integer_flag({"--width", "-W"}, "Width in pixels", kSides, size.width, kModelDefault),
       integer_flag({"--height", "-H"}, "Height in pixels", kSides, size.height, kModelDefault),
       aspect_flag(size), frames_flag(size), duration_flag(size),
       number_flag({"--fps"}, "Frames per second", kFrameRates, size.fps, kModelDefault)}};
}

Flag sigmas_flag(Sampling& sampling) {
  const auto set = [&sampling](const FlagValue& value) { sampling.sigmas = parse_sigmas(value); };
  return deciding({"--steps"},
                  value_flag({"--sigmas"}, "LIST", "The noise level of each step, before the shift",
                             kDescribeSigmas, set));
}

FlagGroup sampling_flags(Sampling& sampling) {
  const auto set_seed = [&sampling](const FlagValue& value) { sampling.seed = parse_seed(value); };
  return {
      "Sampling",
      {defaulting("random, and printed", value_flag({"--seed", "-s", "--base-seed"}, "N",
                                                    "Seed of the noise; the same seed gives the same clip",
                                                    kDescribeSeed, set_seed)),
       replacing({"--sigmas"}, integer_flag({"--steps", "--num-inference-steps", "--sample-steps"},
                                            "Number of denoising steps", kStepCounts,
                                            sampling.num_inference_steps, kModelDefault)),
       replacing({"--guidance-scale-2"},
                 number_flag({"--guidance-scale", "--cfg-scale", "--sample-guide-scale"},
                             "How strongly the prompt is followed; at most 1: no guidance, twice as fast",
                             kGuidanceScales, sampling.guidance_scale, kModelDefault)),
       number_flag({"--guidance-scale-2"},
                   "--guidance-scale of the low-noise expert, if there are two experts", kGuidanceScales,
                   sampling.guidance_scale_2, "as --guidance-scale, or the model's"),
       number_flag({"--boundary-ratio", "--moe-boundary"},
                   "The noise level at which the low-noise expert takes over", kBoundaryRatios,
                   sampling.boundary_ratio, kModelDefault),
       number_flag({"--flow-shift", "--shift", "--sample-shift"},
                   "Shift of the noise levels; a higher value spends more steps on the layout of the frames",
                   kFlowShifts, sampling.flow_shift, kModelDefault),
       choice_flag({"--sampler", "--sampling-method", "--sample-solver"}, "Sampling method", sampler_names(),
                   sampling.sampler, kModelDefault),
       switch_flag({"--legacy-sigmas"},
                   "Noise levels of UniPC as in diffusers up to 0.36 and in the original Wan code",
                   sampling.legacy_sigmas, true),
       sigmas_flag(sampling)}};
}

FlagGroup caching_flags(StepCaching& caching) {
  const auto add_option = [&caching](const FlagValue& value) { caching.options.push_back(value.text); };
  return {
      "Step caching: faster, with some loss of quality",
      {replacing({"--cache-option"},
                 choice_flag({"--cache-mode"},
                             "Method that skips steps which change little; useful from about 20 steps on. "
                             "The run reports how many steps it skipped",
                             cache_mode_names(), caching.mode, caching.mode)),
       defaulting(
           "the method's",
           repeatable(value_flag(
               {"--cache-option"}, "KEY=VALUE",
               "threshold=X: a higher value skips more steps; first=N, last=N: the first and last N steps "
               "are "
               "always computed; teacache: coefficients=A,B,...; magcache: max-skip=N, ratios=A,B,... and "
               "calibrate=yes, which measures the ratios; repeatable",
               "", add_option)))}};
}

/// The flag that replaces a component; --text-encoder replaces "text_encoder".
Flag part_flag(const std::string& name, const char* help, ModelChoice& choice) {
  std::string component = name.substr(2);
  std::replace(component.begin(), component.end(), '-', '_');
  const auto set = [&choice, component](const FlagValue& value) {
    choice.parts[component] = parse_path(value);
  };
  return value_flag({name}, "PATH", help, "", set);
}

FlagGroup model_flags(ModelChoice& choice) {
  const auto add_lora = [&choice](const FlagValue& value) { choice.loras.push_back(parse_lora(value)); };
  const auto add_lora_2 = [&choice](const FlagValue& value) { choice.loras_2.push_back(parse_lora(value)); };
  return {"Model",
          {path_flag({"--model", "-m"}, "PATH",
                     "A Wan checkpoint: a folder, a file, a short name (t2v models) or org/repo (t2v pull)",
                     choice.model, "tiny-world"),
           part_flag("--transformer",
                     "A folder or a file that replaces the model's transformer. Without --model, the other "
                     "parts are needed too",
                     choice),
           part_flag("--transformer-2", "Replaces the transformer of the low-noise expert", choice),
           part_flag("--vae", "Replaces the VAE", choice),
           part_flag("--text-encoder", "Replaces the text encoder", choice),
           part_flag("--tokenizer", "Replaces the tokenizer", choice),
           part_flag("--image-encoder", "Replaces the image encoder", choice),
           repeatable(value_flag({"--lora"}, "PATH[:STRENGTH]",
                                 "A LoRA to merge into the transformer; repeatable", "", add_lora)),
           repeatable(value_flag({"--lora-2"}, "PATH[:STRENGTH]",
                                 "A LoRA to merge into the low-noise expert; repeatable", "", add_lora_2))}};
}

Flag device_flag(const std::string& name, const char* help, const std::string& fallback,
                 std::string& device) {
  const auto set = [&device](const FlagValue& value) { device = parse_device(value); };
  Flag flag = defaulting(fallback, value_flag({name}, "WORD", help, kDescribeDevice, set));
  flag.choices = {"cpu", "cuda", "auto"};  // shells complete these words; the flag also takes cuda:N
  return placing(flag);
}

FlagGroup machine_flags(Machine& machine) {
  return {
      "Machine",
      {device_flag("--device", "Where to compute", machine.device, machine.device),
       choice_flag({"--dtype"},
                   "Number format of text encoder and transformer. float16: the text encoder stays in "
                   "float32; fp8: matrices of the transformer are kept in 8 bits and computed in bfloat16",
                   kDtypes, machine.dtype, machine.dtype),
       placing(
           choice_flag({"--offload"},
                       "Where blocks of the transformer are kept until they are needed; none: on the device; "
                       "auto: cpu if --max-vram needs it, else none",
                       kOffloads, machine.offload, machine.offload)),
       placing(number_flag({"--max-vram"},
                           "GPU memory to use at most, in GiB; blocks that do not fit are offloaded",
                           kMaxVrams, machine.max_vram)),
       device_flag("--text-encoder-device", "Where to encode the prompt", "as --device",
                   machine.text_encoder_device),
       placing(path_flag({"--embeds-cache"}, "DIR",
                         "Keep the embeddings of prompts in this folder for later runs",
                         machine.embeds_cache)),
       switch_flag({"--vae-tiling"}, "Encode and decode in tiles: less memory, slightly different pixels",
                   machine.vae_tiling, true),
       placing(integer_flag({"--threads"}, "Processor threads", kThreadCounts, machine.threads,
                            "one per core"))}};
}

FlagGroup config_flags(GenerateArguments& arguments) {
  return {"Flags from a file",
          {path_flag({"--config"}, "FILE",
                     "Read flags from a JSON object such as {\"steps\": 20}: your own file, a preset, or the "
                     "settings that t2v inspect shows",
                     arguments.config)}};
}

}  // namespace

std::vector<FlagGroup> generate_flags(GenerateArguments& arguments) {
  GenerateRequest& request = arguments.request;
  return {prompt_flags(arguments),
          output_flags(request.outputs, request.encoding, arguments.skip_existing),
          preview_flags(request.outputs, arguments.sheet),
          condition_flags(request.conditions),
          size_flags(request.size),
          sampling_flags(request.sampling),
          caching_flags(request.caching),
          model_flags(request.model),
          machine_flags(request.machine),
          config_flags(arguments)};
}

FlagGroup dry_run_flag(bool& dry_run) {
  return {
      "Instead of rendering",
      {switch_flag({"--dry-run"}, "Check everything and print the plan, as t2v plan does", dry_run, true)}};
}

}  // namespace t2v
