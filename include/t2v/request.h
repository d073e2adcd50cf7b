#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "t2v/lora.h"

namespace t2v {

// The parts of a request. Each has a total order, so that clips that share a part can be found.

/// The ratio of a picture's sides: 16 to 9.
struct AspectRatio {
  double width, height;

  auto operator<=>(const AspectRatio&) const = default;
};

/// The files that the model is loaded from.
struct ModelChoice {
  std::filesystem::path model =
      {};  ///< a checkpoint: folder, file, short name or org/repo; empty: tiny-world
  /// Folders or files that replace components of the model, by the component's name: "transformer",
  /// "transformer_2", "vae", "text_encoder", "tokenizer", "image_encoder". None of the paths is empty.
  std::map<std::string, std::filesystem::path> parts = {};
  std::vector<LoraChoice> loras = {};    ///< merged into the transformer, in this order
  std::vector<LoraChoice> loras_2 = {};  ///< merged into the low-noise expert of a model with two experts

  /// The path that replaces a component; empty: the model's own component is used.
  std::filesystem::path part(const std::string& component) const {
    const auto found = parts.find(component);
    return found == parts.end() ? std::filesystem::path() : found->second;
  }

  auto operator<=>(const ModelChoice&) const = default;
};

/// Pictures and clips that guide the new clip. An empty path is not given.
struct Conditions {
  std::filesystem::path image = {};          ///< the first frame, for a model that takes one
  std::filesystem::path end_image = {};      ///< the last frame
  std::filesystem::path control_video = {};  ///< for VACE: a clip to follow, at least num_frames long
  std::filesystem::path control_mask = {};   ///< for VACE: a clip; its white pixels are made anew
  std::vector<std::filesystem::path> reference_images = {};  ///< for VACE: pictures of the subjects
  std::optional<double> conditioning_scale = {};             ///< for VACE: weight of the control; empty: 1

  auto operator<=>(const Conditions&) const = default;
};

/// Size and length of the clip. Empty: the preset's.
struct ClipSize {
  std::optional<int64_t> height = {}, width = {};  ///< pixels
  std::optional<AspectRatio> aspect = {};          ///< decides the side that is empty, or both
  std::optional<int64_t> num_frames = {};
  std::optional<double> duration = {};  ///< seconds; replaces num_frames, which must come out whole
  std::optional<double> fps = {};       ///< frames a second

  auto operator<=>(const ClipSize&) const = default;
};

/// How the latents are sampled. Empty: the preset's or the checkpoint's.
struct Sampling {
  std::optional<int64_t> num_inference_steps = {};
  std::optional<double> guidance_scale = {};    ///< at most 1: no guidance
  std::optional<double> guidance_scale_2 = {};  ///< of the low-noise expert of a model with two experts
  std::optional<double> boundary_ratio = {};  ///< noise level, 0 to 1, from which the high-noise expert works
  std::optional<std::string> sampler = {};    ///< one of sampler_names()
  std::optional<double> flow_shift = {};
  std::vector<double> sigmas = {};  ///< noise levels before the shift, from high to low, one a step
  bool legacy_sigmas = false;       ///< UniPC's noise levels of diffusers up to 0.36 and of the original code
  std::optional<uint64_t> seed = {};  ///< empty: a random one

  auto operator<=>(const Sampling&) const = default;
};

/// Skipping of steps that change little. It costs quality.
struct StepCaching {
  std::string mode = "none";              ///< one of cache_mode_names()
  std::vector<std::string> options = {};  ///< of the mode: "threshold=0.1", ...

  auto operator<=>(const StepCaching&) const = default;
};

/// Where and with which numbers a clip is computed.
struct Machine {
  std::string device = "auto";    ///< "cpu", "cuda", "cuda:N", "auto"
  std::string dtype = "float32";  ///< of text encoder and transformer: one of kDtypes
  int64_t threads = 0;            ///< 0: one a core
  std::string offload = "auto";   ///< where the transformer's blocks wait for their turn: one of kOffloads
  std::optional<double> max_vram = {};      ///< GiB of the GPU to use at most; more blocks wait elsewhere
  std::string text_encoder_device = {};     ///< as device; empty: the same
  std::filesystem::path embeds_cache = {};  ///< a folder that keeps prompt embeddings; empty: none
  bool vae_tiling = false;  ///< encode and decode in tiles, as the reference's enable_tiling() does

  auto operator<=>(const Machine&) const = default;
};

/// How the frames are encoded.
struct Encoding {
  std::string quality = "good";     ///< one of quality_names()
  std::optional<int64_t> crf = {};  ///< replaces quality, on the codec's own scale
  std::string codec = {};           ///< one of codec_names(); empty: the container's
  std::string pix_fmt = {};         ///< one of pix_fmt_names(); empty: the codec's

  auto operator<=>(const Encoding&) const = default;
};

/// The files that a run writes. An empty path is not written.
struct Outputs {
  std::filesystem::path output = {};  ///< the clip; its extension chooses the container: .mp4, .png, ...
  bool overwrite = false;             ///< replace files that exist
  bool metadata = true;               ///< write the settings into the clip
  std::filesystem::path save_latents = {};  ///< the final latents, safetensors
  std::filesystem::path preview = {};       ///< a small clip of the latents so far, replaced as steps go on
  bool shows_previews = false;              ///< call RunControl::on_preview
  int64_t preview_interval = 1;             ///< steps from one preview to the next

  bool makes_previews() const { return shows_previews || !preview.empty(); }
  auto operator<=>(const Outputs&) const = default;
};

/// A clip to render. Every empty optional gets its value from the preset of the model (configs/*.json).
struct GenerateRequest {
  std::string prompt = {};                          ///< UTF-8, not blank, at most 64 KiB
  std::optional<std::string> negative_prompt = {};  ///< used when guidance_scale > 1
  ModelChoice model = {};
  Conditions conditions = {};
  ClipSize size = {};
  Sampling sampling = {};
  StepCaching caching = {};
  Machine machine = {};
  Encoding encoding = {};
  Outputs outputs = {};
  std::vector<std::string> arguments = {};  ///< the command line, recorded in the settings
};

}  // namespace t2v
