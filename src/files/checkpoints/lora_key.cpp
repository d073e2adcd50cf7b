#include "files/checkpoints/lora_key.h"

#include <algorithm>
#include <array>

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

// Parts of keys that tell for which other model a LoRA was made; the first that is found decides.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kOtherModels = {{
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

/// A table from the original names, or from those of diffusers, with underscores for their dots: kohya's keys
/// have no dots. The names stay different from each other.
RenameTable from_underscores(const RenameTable& table, LoraNaming naming) {
  RenameTable underscored;
  for (const Rename& entry : table) {
    const std::string& from = naming == LoraNaming::kOriginal ? entry.from : entry.to;
    underscored.push_back({with_underscores(from), entry.to, from_underscores(entry.inner, naming)});
  }
  // "k_*" would take "k_img_weight" from "k_img_*".
  std::stable_sort(underscored.begin(), underscored.end(),
                   [](const Rename& a, const Rename& b) { return a.from.size() > b.from.size(); });
  return underscored;
}

/// Whether a block's number is one that no model has.
bool has_long_number(std::string_view name) {
  constexpr size_t kMostDigits = 4;
  size_t digits = 0;
  for (const char letter : name) {
    digits = letter >= '0' && letter <= '9' ? digits + 1 : 0;
    if (digits > kMostDigits) return true;
  }
  return false;
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

/// Whether the last `left` letters of a module begin with "transformer_blocks", which other families have.
bool is_transformer_block(std::string_view module, size_t left) {
  const size_t start = module.size() - left;
  const bool may_be_prefix = start == 0 && module.find('.') == std::string_view::npos;
  return !may_be_prefix && module.substr(start).starts_with("transformer_blocks");
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

LoraKeyReader::LoraKeyReader(const Family& family) : names_(denoiser_of(family).lora) {
  for (const LoraNaming naming : {LoraNaming::kOriginal, LoraNaming::kDiffusers}) {
    for (const KeyMap& key_map : denoiser_of(family).key_maps) {
      if (!key_map.table.empty()) tables_.emplace_back(naming, from_underscores(key_map.table, naming));
    }
  }
}

std::optional<LoraKeyReader::Module> LoraKeyReader::find_module(const std::string& words) const {
  constexpr std::string_view kWeight = ".weight";
  for (const auto& [naming, table] : tables_) {
    const auto weight = rename(table, words + "_weight");
    if (weight && weight->ends_with(kWeight)) {
      return Module{weight->substr(0, weight->size() - kWeight.size()), naming, false};
    }
    const auto parameter = rename(table, words);
    const auto ends = [&](const std::string& ending) { return parameter->ends_with(ending); };
    if (parameter && std::any_of(names_.parameters.begin(), names_.parameters.end(), ends)) {
      return Module{*parameter, naming, true};
    }
  }
  return std::nullopt;
}

std::optional<LoraKey> LoraKeyReader::read(std::string_view key) const {
  const auto cut = cut_key(key);
  if (!cut) return std::nullopt;
  const std::string text = with_underscores(cut->module);
  std::string_view words = text;
  bool second_expert = false;
  for (bool stripped = true; stripped;) {
    stripped = false;
    for (const std::string_view prefix : kPrefixes) {
      if (!words.starts_with(prefix) || is_transformer_block(cut->module, words.size())) continue;
      words.remove_prefix(prefix.size());
      second_expert = second_expert || prefix == "transformer_2_";
      stripped = true;
    }
    // "lora_unet__blocks_0_...": a variant of kohya's.
    while (words.starts_with("_")) words.remove_prefix(1);
  }
  std::string name(words);
  if (name.ends_with("_to_out")) name += "_0";                             // as older diffusers
  if (cut->role == LoraRole::kParameter) name += "_" + names_.modulation;  // "blocks.0.diff_m"
  std::optional<Module> module = find_module(name);
  if (!module || has_long_number(module->name)) return std::nullopt;
  LoraRole role = cut->role;
  if (role == LoraRole::kWeight && module->is_parameter) role = LoraRole::kParameter;
  if (module->is_parameter != (role == LoraRole::kParameter) && role != LoraRole::kUnsupported) {
    return std::nullopt;
  }
  if (cut->module.find('.') == std::string_view::npos) module->naming = LoraNaming::kUnderscores;
  return LoraKey{std::move(module->name), role, module->naming, second_expert};
}

bool is_lora_key(std::string_view key) { return cut_key(key).has_value(); }

std::string_view other_model_of_lora_key(std::string_view key) {
  for (const auto& [part, model] : kOtherModels) {
    if (key.find(part) != std::string_view::npos) return model;
  }
  return "";
}

}  // namespace t2v
