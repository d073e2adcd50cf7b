#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace t2v {

/// One part of a checkpoint, as the headers of its files describe it.
struct InspectedComponent {
  std::string name;        ///< name in model_index.json: "transformer", "vae", ...
  std::string class_name;  ///< class of diffusers or transformers
  std::string format;      ///< format of its files: "safetensors", "GGUF", "torch"
  std::string naming;      ///< naming of its tensors: "diffusers" (also transformers) or "original"
  std::vector<std::filesystem::path> files;
  int64_t tensors = 0, parameters = 0, bytes = 0;
  std::map<std::string, int64_t>
      number_formats;  ///< number of parameters in each format: "BF16", "Q8_0", ...
  /// Tensors that differ from the tensors of its class, by name; misshaped ones with both shapes.
  std::vector<std::string> missing, unknown, misshaped;
};

/// A part that the model needs and that is absent.
struct AbsentComponent {
  std::string name, advice;
};

/// A LoRA, as the header of its file describes it.
struct InspectedLora {
  std::string naming;    ///< "diffusers", "original", "kohya"
  std::string made_for;  ///< "a transformer of width 1536 with 30 blocks or more", with its family
  int64_t modules = 0, tensors = 0, bytes = 0;
  int64_t smallest_rank = 0, largest_rank = 0;  ///< 0 without matrices
  std::map<std::string, int64_t> number_formats;
  std::vector<std::string> unknown;  ///< keys that name no part of this transformer
};

/// Description of a file or folder.
struct Inspection {
  enum class Kind { kCheckpoint, kLora, kClip, kLatents };
  Kind kind = Kind::kCheckpoint;
  // Of a checkpoint.
  std::string family, variant;      ///< the model's series, and its name in it: "T2V-1.3B"
  std::string layout;               ///< "diffusers folder", ...
  std::string pipeline, scheduler;  ///< classes of diffusers; "" if unknown
  std::vector<InspectedComponent> components;
  std::vector<AbsentComponent> absent;
  // Of a LoRA.
  InspectedLora lora;
  // Of a clip or latents that t2v made.
  std::string settings;  ///< the recorded JSON
};

/// Describes a checkpoint (folder or file of any format), a LoRA file, a clip or a file of latents from
/// headers alone. Error (kInput) for any other file and for a damaged one.
Inspection inspect(const std::filesystem::path& path);

/// The file that has the settings of a clip: the clip itself; of numbered pictures, which are named by one of
/// them, by their pattern or as Outputs::output named them, the .json beside them, if it is there.
std::filesystem::path recorded_in(const std::filesystem::path& clip);

}  // namespace t2v
