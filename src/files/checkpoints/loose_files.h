#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "files/checkpoints/component.h"
#include "t2v/error.h"

namespace t2v {

/// Where the tokenizer is: one of the two.
struct TokenizerSource {
  std::filesystem::path path = {};  ///< a folder with tokenizer.json or spiece.model, or one of these files
  std::string spiece_model = {};    ///< the bytes of a SentencePiece model that came inside a checkpoint
};

/// A component that was told by its content, and why its configuration cannot be told, if it cannot.
struct LooseCandidate {
  Component component;
  std::optional<Error> error = {};
};

/// Components that were told by their content, under the names that model_index.json would give them; more
/// than one of a name where a folder has files for several models.
struct LooseParts {
  std::map<std::string, std::vector<LooseCandidate>, std::less<>> candidates;
  std::set<std::string> found;  ///< names of all that is there, what was left out too
  std::optional<TokenizerSource> tokenizer;
};

using ConfigsByComponent = std::map<std::string, Config, std::less<>>;

struct LooseOptions {
  std::set<std::string, std::less<>> left_out = {};  ///< components that nobody wants
  ConfigsByComponent replaced = {};  ///< of what the components take the place of, for what no tensor says
};

/// "--text-encoder" of "text_encoder".
std::string flag_of(std::string_view component);

/// What is in a file (or, for one of several shards, in all of them), or in a folder that has no
/// model_index.json: an original repository, a component's folder, files put together by hand. Folders inside
/// it are looked into, and what is of no Wan model is passed over; experts are told by their names, or those
/// of their folders. Error (kInput) for a file that holds nothing known.
LooseParts open_loose_parts(const std::filesystem::path& path, const LooseOptions& options);

/// The experts of Wan2.2, whose tensors are alike.
enum class Expert { kUnknown, kHighNoise, kLowNoise };
/// The one that people call a file (of weights or of a LoRA) or a folder, or else the folder it is in:
/// kLowNoise for "wan2.2_t2v_low_noise_14B.safetensors", "LowNoise/model.gguf",
/// "Wan2_2-T2V-A14B-LOW_fp8.gguf".
Expert expert_called(const std::filesystem::path& path);

/// A tokenizer's folder or file. Error (kInput) if it is none.
TokenizerSource open_tokenizer(const std::filesystem::path& path);

}  // namespace t2v
