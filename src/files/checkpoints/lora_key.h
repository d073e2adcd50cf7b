#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace t2v {

/// What one tensor of a LoRA file is to the module it belongs to.
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

/// The key of one tensor of a LoRA file for a Wan transformer, understood.
struct LoraKey {
  std::string module;  ///< as diffusers names it: "blocks.0.attn1.to_q"
  LoraRole role;
  LoraNaming naming;
  bool second_expert = false;  ///< the key says that it is for transformer_2
};

/// Understands the spellings of diffusers and PEFT (`transformer.blocks.0.attn1.to_q.lora_A.weight`), ComfyUI
/// and the original code (`diffusion_model.blocks.0.self_attn.q.lora_down.weight`), kohya and musubi-tuner
/// (`lora_unet_blocks_0_self_attn_q.lora_down.weight`), each with or without its prefix. Nothing for any
/// other key.
std::optional<LoraKey> parse_lora_key(std::string_view key);

/// Whether a key is one of a LoRA or another adapter, of whatever model: by its ending.
bool is_lora_key(std::string_view key);

/// The model that a key which parse_lora_key does not know was made for, as far as names tell; "" if they do
/// not.
std::string_view family_of_lora_key(std::string_view key);

}  // namespace t2v
