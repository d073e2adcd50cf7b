#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "files/checkpoints/component.h"
#include "files/checkpoints/lora_key.h"
#include "files/formats/tensor_file.h"
#include "t2v/lora.h"

namespace t2v {

/// One tensor of a LoRA file.
struct LoraTensor {
  std::string key;  ///< as in the file
  StoredTensor stored;
};

/// What a LoRA file holds for one module.
struct LoraModule {
  std::map<LoraRole, LoraTensor> tensors;
  /// What B A counts, from the file's metadata; alpha / rank where there is a kAlpha tensor.
  double scale = 1;

  const LoraTensor* find(LoraRole role) const;
  int64_t rank() const;  ///< 0 without matrices
};

/// How much of a LoRA file applies to a transformer.
struct LoraMatch {
  int64_t matched = 0, total = 0;    ///< tensors of the file
  std::vector<std::string> ignored;  ///< the keys of the others

  /// "312 of 320 keys matched, 8 ignored: ..."
  std::string text() const;
};

/// A LoRA file for one Wan transformer, its keys understood. Headers only: no value has been read.
struct LoraFile {
  /// The part of the file that is for `transformer`, or for `transformer_2` if `second_expert`: the keys that
  /// say so, or every key if the file tells no experts apart. Error (kInput) for a file that is damaged, has
  /// no key for a Wan transformer, or is an adapter that is no LoRA (DoRA, LoHa, LoKr).
  static LoraFile open(const std::filesystem::path& path, bool second_expert = false);
  /// Whether a file has keys of a LoRA, of whatever model.
  static bool recognises(const TensorFile& file);

  /// Error (kInput) if no module of this LoRA is in the transformer, or if one has another shape there: a
  /// LoRA of another model.
  LoraMatch match(const Component& transformer) const;
  /// "a Wan transformer of width 1536 with 30 blocks or more (1.3B)", as far as the tensors tell.
  std::string made_for() const;

  std::shared_ptr<const TensorFile> file;
  LoraNaming naming = LoraNaming::kDiffusers;
  std::map<std::string, LoraModule> modules;  ///< under diffusers' names: "blocks.0.attn1.to_q"
  std::vector<std::string> ignored;           ///< keys that were not understood or are for the other expert
  bool for_both_experts = false;              ///< there are keys for either, which say so
};

/// The tensor of the model that a tensor of a LoRA bears upon: "blocks.0.attn1.to_q.weight".
std::string lora_target(const std::string& module, LoraRole role);

/// A LoRA that was opened for a transformer, and what its change counts.
struct LoraMerge {
  LoraFile lora;
  double strength = 1;
  LoraMatch match;
};

/// Opens LoRA files for a transformer, the second of two experts if `second_expert`. Error (kInput) as
/// LoraFile::open() and LoraFile::match().
std::vector<LoraMerge> open_loras(const std::vector<LoraChoice>& choices, const Component& transformer,
                                  bool second_expert = false);

}  // namespace t2v
