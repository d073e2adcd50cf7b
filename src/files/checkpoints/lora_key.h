#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "families/family.h"

namespace t2v {

/// Role of one tensor of a LoRA file in its module.
enum class LoraRole {
  kDown,         ///< A [rank, in]
  kUp,           ///< B [out, rank]
  kUpBias,       ///< the bias of B, scaled as B A is
  kAlpha,        ///< the scale is alpha / rank
  kWeight,       ///< added to the module's weight as it is
  kBias,         ///< added to the module's bias as it is
  kParameter,    ///< added to a parameter that is no weight or bias: a scale_shift_table
  kUnsupported,  ///< part of an adapter that is no LoRA: DoRA, LoHa, LoKr, ...
};

/// How a LoRA file spells the names of modules.
enum class LoraNaming { kDiffusers, kOriginal, kUnderscores };

/// "diffusers", "original", "kohya".
std::string_view lora_naming_name(LoraNaming naming);

/// The key of one tensor of a LoRA file, understood.
struct LoraKey {
  std::string module;  ///< under its name in diffusers: "blocks.0.attn1.to_q"
  LoraRole role;
  LoraNaming naming;
  bool second_expert = false;  ///< the key says that it is for transformer_2
};

/// Understands the keys of LoRA files for the transformers of a family.
class LoraKeyReader {
 public:
  explicit LoraKeyReader(const Family& family);

  /// Understands the spellings of diffusers and PEFT (`transformer.blocks.0.attn1.to_q.lora_A.weight`),
  /// ComfyUI and the original code (`diffusion_model.blocks.0.self_attn.q.lora_down.weight`), kohya and
  /// musubi-tuner
  /// (`lora_unet_blocks_0_self_attn_q.lora_down.weight`), each with or without its prefix. Nothing for any
  /// other key.
  std::optional<LoraKey> read(std::string_view key) const;

 private:
  struct Module {
    std::string name;
    LoraNaming naming;
    bool is_parameter;  ///< not a weight or bias: a scale_shift_table
  };
  /// The module or parameter that `words` names: without prefixes, and with underscores for dots.
  std::optional<Module> find_module(const std::string& words) const;

  LoraNames names_;
  std::vector<std::pair<LoraNaming, RenameTable>> tables_;  ///< from names whose dots are underscores
};

/// Whether a key is one of a LoRA or another adapter, of any model: by its ending.
bool is_lora_key(std::string_view key);

/// The model that a key was made for which no family knows, as far as names tell; "" if they do not.
std::string_view other_model_of_lora_key(std::string_view key);

}  // namespace t2v
