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

namespace t2v {

/// One tensor of a LoRA file.
struct LoraTensor {
  std::string key;  ///< as in the file
  StoredTensor stored;
};

/// The tensors of a LoRA file for one module.
struct LoraModule {
  std::map<LoraRole, LoraTensor> tensors;
  /// Factor of B A, from the file's metadata; where there is a kAlpha tensor it is alpha / rank instead.
  double scale = 1;

  const LoraTensor* find(LoraRole role) const;
  int64_t rank() const;  ///< 0 without matrices
};

/// How many tensors of a LoRA file apply to a transformer.
struct LoraMatch {
  int64_t matched = 0, total = 0;
  std::vector<std::string> ignored;  ///< keys of the tensors that do not apply

  /// "312 of 320 keys matched, 8 ignored: ..."
  std::string text() const;
};

/// A LoRA file for one transformer, its keys understood. Headers only: no value has been read.
struct LoraFile {
  /// The part of the file that is for `transformer`, or for `transformer_2` if `second_expert`: the keys that
  /// say so, or every key if the file tells no experts apart. Error (kInput) for a file that is damaged, has
  /// no key for a transformer of the family, or is an adapter that is no LoRA (DoRA, LoHa, LoKr).
  static LoraFile open(const std::filesystem::path& path, const Family& family, bool second_expert = false);
  /// Whether a file has keys of a LoRA, of any model.
  static bool recognises(const TensorFile& file);

  /// Error (kInput) for a LoRA of another model: no module of it is in the transformer, or one has another
  /// shape there.
  LoraMatch match(const Component& transformer) const;
  /// The transformer that it was made for, as far as the tensors tell: Family::lora_made_for().
  std::string made_for() const;

  const Family* family = nullptr;
  std::shared_ptr<const TensorFile> file;
  LoraNaming naming = LoraNaming::kDiffusers;
  std::map<std::string, LoraModule> modules;  ///< under their names in diffusers: "blocks.0.attn1.to_q"
  std::vector<std::string> ignored;           ///< keys that were not understood or are for the other expert
  bool for_both_experts = false;              ///< there are keys for either, which say so
};

/// The family that understands the most keys of a LoRA file.
const Family& family_of_lora(const TensorFile& file);

/// The tensor of the model that a tensor of a LoRA changes: "blocks.0.attn1.to_q.weight".
std::string lora_target(const std::string& module, LoraRole role);

/// A LoRA file that a user named.
struct NamedLora {
  std::filesystem::path file;
  double strength = 1;  ///< factor of its change; 0: no change, negative: the opposite change
};

/// A LoRA that was opened for a transformer.
struct LoraMerge {
  LoraFile lora;
  double strength = 1;  ///< as NamedLora::strength
  LoraMatch match;
};

/// Opens LoRA files for a transformer, the second of two experts if `second_expert`. Error (kInput) as
/// LoraFile::open() and LoraFile::match().
std::vector<LoraMerge> open_loras(const std::vector<NamedLora>& named, const Family& family,
                                  const Component& transformer, bool second_expert = false);

}  // namespace t2v
