#include "checkpoints/lora_key.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace t2v {
namespace {

struct Suffix {
  std::string_view text;
  LoraRole role;
};

// Where the name of the module ends and that of the adapter's matrix begins. An adapter's own name, `.weight`
// or `.bias` may follow.
constexpr std::array<Suffix, 10> kMatrices = {{
    {".lora_A", LoraRole::kDown},
    {".lora_B", LoraRole::kUp},
    {".lora_down", LoraRole::kDown},
    {".lora_up", LoraRole::kUp},
    {".lora.down", LoraRole::kDown},
    {".lora.up", LoraRole::kUp},
    {"_lora.down", LoraRole::kDown},
    {"_lora.up", LoraRole::kUp},
    {".lora_linear_layer.down", LoraRole::kDown},
    {".lora_linear_layer.up", LoraRole::kUp},
}};

// What else a key may end in.
constexpr std::array<Suffix, 7> kEndings = {{
    {".alpha", LoraRole::kAlpha},
    {".diff", LoraRole::kWeight},
    {".diff.weight", LoraRole::kWeight},
    {".diff_b", LoraRole::kBias},
    {".diff.bias", LoraRole::kBias},
    {".diff_m", LoraRole::kParameter},
    {".dora_scale", LoraRole::kUnsupported},
}};

// Found anywhere, they make the file an adapter of another kind, whose update is not B A.
constexpr std::array<std::string_view, 7> kOtherAdapters = {
    ".lora_magnitude_vector", ".hada_", ".lokr_", ".lora_mid", ".oft_", ".boft_", ".glora_"};

// Put in front of the names by the programs that write them. More than one may stand there.
constexpr std::array<std::string_view, 10> kPrefixes = {
    "base_model_model_", "model_diffusion_model_", "diffusion_model_", "transformer_2_", "transformer_",
    "lora_unet_",        "lora_transformer_",      "lycoris_",         "pipe_dit_",      "dit_"};

using Spelling = std::pair<std::string_view, std::string_view>;

// What a key may call a module or a parameter of a block, and diffusers' name of it. The dots of the left
// side are underscores: that loses nothing that tells one from another, and kohya's keys have no dots at all.
constexpr std::array<Spelling, 24> kOfBlock = {{
    {"self_attn_q", "attn1.to_q"},
    {"self_attn_k", "attn1.to_k"},
    {"self_attn_v", "attn1.to_v"},
    {"self_attn_o", "attn1.to_out.0"},
    {"self_attn_norm_q", "attn1.norm_q"},
    {"self_attn_norm_k", "attn1.norm_k"},
    {"cross_attn_q", "attn2.to_q"},
    {"cross_attn_k", "attn2.to_k"},
    {"cross_attn_v", "attn2.to_v"},
    {"cross_attn_o", "attn2.to_out.0"},
    {"cross_attn_norm_q", "attn2.norm_q"},
    {"cross_attn_norm_k", "attn2.norm_k"},
    {"cross_attn_k_img", "attn2.add_k_proj"},
    {"cross_attn_v_img", "attn2.add_v_proj"},
    {"cross_attn_norm_k_img", "attn2.norm_added_k"},
    {"norm3", "norm2"},
    {"ffn_0", "ffn.net.0.proj"},
    {"ffn_2", "ffn.net.2"},
    {"modulation", "scale_shift_table"},
    {"", "scale_shift_table"},  // blocks.0.diff_m
    {"before_proj", "proj_in"},
    {"after_proj", "proj_out"},
    // As older diffusers spell to_out.0.
    {"attn1_to_out", "attn1.to_out.0"},
    {"attn2_to_out", "attn2.to_out.0"},
}};

// Those outside the blocks.
constexpr std::array<Spelling, 15> kOutside = {{
    {"patch_embedding", "patch_embedding"},
    {"vace_patch_embedding", "vace_patch_embedding"},
    {"text_embedding_0", "condition_embedder.text_embedder.linear_1"},
    {"text_embedding_2", "condition_embedder.text_embedder.linear_2"},
    {"time_embedding_0", "condition_embedder.time_embedder.linear_1"},
    {"time_embedding_2", "condition_embedder.time_embedder.linear_2"},
    {"time_projection_1", "condition_embedder.time_proj"},
    {"img_emb_proj_0", "condition_embedder.image_embedder.norm1"},
    {"img_emb_proj_1", "condition_embedder.image_embedder.ff.net.0.proj"},
    {"img_emb_proj_3", "condition_embedder.image_embedder.ff.net.2"},
    {"img_emb_proj_4", "condition_embedder.image_embedder.norm2"},
    {"img_emb_emb_pos", "condition_embedder.image_embedder.pos_embed"},
    {"head_head", "proj_out"},
    {"head_modulation", "scale_shift_table"},
    {"head", "scale_shift_table"},  // head.diff_m
}};

// Parts of keys that tell for which other model a LoRA was made; the first that is found decides.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kOtherFamilies = {{
    {"lora_te", "a text encoder"},
    {"text_encoder", "a text encoder"},
    {"down_blocks", "Stable Diffusion"},
    {"input_blocks", "Stable Diffusion"},
    {"img_attn", "HunyuanVideo or Flux"},
    {"double_blocks", "HunyuanVideo or Flux"},
    {"single_transformer_blocks", "HunyuanVideo or Flux"},
    {"joint_blocks", "Stable Diffusion 3"},
    {"img_mlp", "Qwen-Image"},
    {"attn.add_q_proj", "Stable Diffusion 3 or Flux"},
    {"audio_", "LTX-2"},
    {"transformer_blocks", "LTX-Video, CogVideoX or Mochi"},
}};

std::string with_underscores(std::string_view dotted) {
  std::string text(dotted);
  std::replace(text.begin(), text.end(), '.', '_');
  return text;
}

struct Module {
  std::string name;
  LoraNaming naming;
};

/// Both spellings of every module of a table, with underscores for dots.
template <size_t kCount>
std::map<std::string, Module, std::less<>> spellings(const std::array<Spelling, kCount>& table) {
  std::map<std::string, Module, std::less<>> modules;
  for (const auto& [original, diffusers] : table) {
    const bool older = original.starts_with("attn");  // diffusers, not the original
    modules.emplace(original,
                    Module{std::string(diffusers), older ? LoraNaming::kDiffusers : LoraNaming::kOriginal});
    modules.emplace(with_underscores(diffusers), Module{std::string(diffusers), LoraNaming::kDiffusers});
  }
  return modules;
}

/// The module whose name is `words`, without prefixes and with underscores for dots.
std::optional<Module> find_module(std::string_view words) {
  static const auto of_block = spellings(kOfBlock);
  static const auto outside = spellings(kOutside);
  std::string block;
  for (const std::string_view list : {"blocks_", "vace_blocks_"}) {
    if (!words.starts_with(list)) continue;
    const size_t digits = std::min(words.find_first_not_of("0123456789", list.size()), words.size());
    if (digits == list.size() || digits - list.size() > 4) return std::nullopt;
    block = std::string(list.substr(0, list.size() - 1)) + "." +
            std::string(words.substr(list.size(), digits - list.size()));
    words.remove_prefix(std::min(digits + 1, words.size()));
  }
  const auto& names = block.empty() ? outside : of_block;
  const auto found = names.find(words);
  if (found == names.end()) return std::nullopt;
  Module module = found->second;
  if (!block.empty()) module.name = block + "." + module.name;
  return module;
}

/// Where a key is cut: the module's text, and what the rest of it says.
struct Cut {
  std::string_view module;
  LoraRole role;
};

/// Whether `rest` is ".weight", ".bias", or one of them behind the name of an adapter, or nothing; and if it
/// is the bias.
std::optional<bool> matrix_is_bias(std::string_view rest) {
  if (rest.empty() || rest == ".weight") return false;
  if (rest == ".bias") return true;
  const size_t dot = rest.rfind('.');
  if (rest[0] != '.' || dot == 0 || rest.substr(0, dot).find('.', 1) != std::string_view::npos) {
    return std::nullopt;
  }
  return matrix_is_bias(rest.substr(dot));
}

std::optional<Cut> cut_key(std::string_view key) {
  for (const std::string_view part : kOtherAdapters) {
    const size_t at = key.rfind(part);
    if (at != std::string_view::npos) return Cut{key.substr(0, at), LoraRole::kUnsupported};
  }
  for (const Suffix& matrix : kMatrices) {
    const size_t at = key.rfind(matrix.text);
    if (at == std::string_view::npos) continue;
    const auto bias = matrix_is_bias(key.substr(at + matrix.text.size()));
    if (!bias || (*bias && matrix.role == LoraRole::kDown)) return std::nullopt;
    return Cut{key.substr(0, at), *bias ? LoraRole::kUpBias : matrix.role};
  }
  for (const Suffix& ending : kEndings) {
    if (key.ends_with(ending.text)) return Cut{key.substr(0, key.size() - ending.text.size()), ending.role};
  }
  return std::nullopt;
}

}  // namespace

std::string_view lora_naming_name(LoraNaming naming) {
  switch (naming) {
    case LoraNaming::kDiffusers:
      return "diffusers";
    case LoraNaming::kOriginal:
      return "original";
    case LoraNaming::kUnderscores:
      return "kohya";
  }
  return "";
}

std::optional<LoraKey> parse_lora_key(std::string_view key) {
  const auto cut = cut_key(key);
  if (!cut) return std::nullopt;
  const std::string text = with_underscores(cut->module);
  std::string_view words = text;
  bool second_expert = false;
  for (bool stripped = true; stripped;) {
    stripped = false;
    for (const std::string_view prefix : kPrefixes) {
      if (!words.starts_with(prefix)) continue;
      words.remove_prefix(prefix.size());
      second_expert = second_expert || prefix == "transformer_2_";
      stripped = true;
    }
    // "lora_unet__blocks_0_...": a variant of kohya's.
    while (words.starts_with("_")) words.remove_prefix(1);
  }
  auto module = find_module(words);
  if (!module) return std::nullopt;
  LoraRole role = cut->role;
  const bool parameter =
      module->name.ends_with("scale_shift_table") || module->name.ends_with("image_embedder.pos_embed");
  if (role == LoraRole::kWeight && parameter) role = LoraRole::kParameter;
  if (parameter != (role == LoraRole::kParameter) && role != LoraRole::kUnsupported) return std::nullopt;
  if (cut->module.find('.') == std::string_view::npos) module->naming = LoraNaming::kUnderscores;
  return LoraKey{std::move(module->name), role, module->naming, second_expert};
}

bool is_lora_key(std::string_view key) { return cut_key(key).has_value(); }

std::string_view family_of_lora_key(std::string_view key) {
  for (const auto& [part, family] : kOtherFamilies) {
    if (key.find(part) != std::string_view::npos) return family;
  }
  return "";
}

}  // namespace t2v
