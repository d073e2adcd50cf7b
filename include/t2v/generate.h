#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "t2v/lora.h"
#include "t2v/run.h"

namespace t2v {

/// The shape of a picture: 16 to 9.
struct AspectRatio {
  double width, height;
};

/// What to render. check() fills every empty optional from the preset of the model (configs/*.json).
struct GenerateRequest {
  std::string prompt;                          ///< UTF-8, not blank, at most 64 KiB
  std::optional<std::string> negative_prompt;  ///< used when guidance_scale > 1
  std::filesystem::path output;                ///< the extension chooses the container: .mp4, .png, ...
  std::filesystem::path model;                 ///< a checkpoint: folder or file; empty: tiny-world
  /// Folders or files that replace parts of the model; empty: its own.
  std::filesystem::path transformer, transformer_2, vae, text_encoder, tokenizer, image_encoder;

  std::vector<LoraChoice> loras;    ///< merged into the transformer, in this order
  std::vector<LoraChoice> loras_2;  ///< into the low-noise expert, for a model with two

  std::filesystem::path image;      ///< what the clip begins with, for a model that takes one
  std::filesystem::path end_image;  ///< what it ends with
  std::filesystem::path control_video, control_mask;    ///< for VACE: clips; white of the mask is made anew
  std::vector<std::filesystem::path> reference_images;  ///< for VACE: what is to appear
  std::optional<double> conditioning_scale;             ///< for VACE: how much the control counts

  std::optional<int64_t> height, width;  ///< pixels
  std::optional<AspectRatio> aspect;     ///< decides which of them is empty, or both; check() empties it
  std::optional<int64_t> num_frames;
  std::optional<double> duration;  ///< seconds; decides num_frames, which must come out whole
  std::optional<double> fps;

  std::optional<int64_t> num_inference_steps;
  std::optional<double> guidance_scale;    ///< at most 1: no guidance
  std::optional<double> guidance_scale_2;  ///< of the low-noise expert, for a model with two
  std::optional<double> boundary_ratio;    ///< from this noise level up the high-noise expert is used
  std::optional<std::string> sampler;      ///< one of kSamplers; default: what scheduler_config.json names
  std::optional<double> flow_shift;
  std::vector<double> sigmas;  ///< replaces the sampler's own grid before the shift; from high to low
  bool legacy_sigmas =
      false;  ///< UniPC's noise levels as diffusers up to 0.36 and the original Wan code have them
  std::optional<uint64_t> seed;  ///< empty: a random one

  std::string device = "auto";    ///< "cpu", "cuda", "cuda:N", "auto"
  std::string dtype = "float32";  ///< of the text encoder and the transformer: one of kDtypes
  int64_t threads = 0;            ///< 0: one a core
  std::string offload = "auto";   ///< where the blocks of a transformer wait for their turn: one of kOffloads
  std::optional<double> max_vram;      ///< GiB of the GPU to use at most: more blocks wait elsewhere
  std::string text_encoder_device;     ///< as device; empty: the same
  std::filesystem::path embeds_cache;  ///< a folder that keeps prompt embeddings for later runs; empty: none
  bool vae_tiling = false;  ///< encode and decode in tiles, as the reference's enable_tiling() does

  std::string cache_mode = "none";         ///< how steps are skipped, which loses quality: one of kCacheModes
  std::vector<std::string> cache_options;  ///< of that: "threshold=0.1", ...

  std::string quality = "good";        ///< "draft", "good", "high", "lossless"
  std::optional<int64_t> crf;          ///< overrides quality, on the codec's own scale
  std::string codec;                   ///< one of kCodecs; empty: the container's
  std::string pix_fmt;                 ///< one of kPixFmts; empty: the codec's
  bool overwrite = false;              ///< replace an output that exists
  bool metadata = true;                ///< write the settings into the clip
  std::filesystem::path save_latents;  ///< also write the final latents here (safetensors); empty: do not
  std::filesystem::path preview;  ///< a small clip that shows what is sampled so far; as output; empty: none
  bool shows_previews = false;    ///< RunControl::on_preview is called
  int64_t preview_interval = 1;   ///< it is made anew after so many steps
  std::vector<std::string> arguments;  ///< the command line, recorded in the settings
  std::filesystem::path preset;        ///< set by check(): the file that filled what was empty

  bool makes_previews() const { return shows_previews || !preview.empty(); }
};

struct GenerateResult {
  std::filesystem::path output;  ///< of a sequence of files, the first
  std::string settings;          ///< JSON, as recorded in the clip
};

/// Checks everything that can be checked without loading weights and fills every empty optional: from the
/// model's preset, the seed with a random number, num_frames from the duration. Does not load LibTorch,
/// but to look whose preview there is. Error (kUsage, kInput, kOutput).
GenerateRequest check(const GenerateRequest& request);

/// check(), then renders one clip: written, synced, read back and published under its name, or not there at
/// all. Error, Stopped: temporary files are gone; latents that were sampled before the stop are kept beside
/// the output, and the log says where.
GenerateResult generate(const GenerateRequest& request, const RunControl& control);

/// The clip that the request names as its output, if it is there already, every frame of it readable and as
/// many as asked for; its settings are "{}" if none are recorded. Error as check(), but not for its being
/// there.
std::optional<GenerateResult> find_rendered(const GenerateRequest& request);

/// "0.1.0"
const char* version();

}  // namespace t2v
