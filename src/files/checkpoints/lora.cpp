#include "files/checkpoints/lora.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/config.h"
#include "core/shown_name.h"
#include "families/registry.h"
#include "t2v/error.h"

namespace t2v {
namespace {

constexpr const char* kAdapterMetadata = "lora_adapter_metadata";
constexpr const char* kAnotherFile = "use a LoRA that its author saved as safetensors";

[[noreturn]] void fail(const TensorFile& file, const std::string& got, const std::string& expected,
                       const std::string& advice) {
  throw Error(ErrorCode::kInput, {.doing = "reading the LoRA " + file.path().string(),
                                  .got = got,
                                  .expected = expected,
                                  .advice = advice});
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

int64_t number_count(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

/// What PEFT recorded about the adapter: `lora_alpha`, for single modules too. Empty for a file without.
class AdapterMetadata {
 public:
  explicit AdapterMetadata(const TensorFile& file) : values_(read(file)) {
    for (const char* kind : {"use_dora", "use_qalora", "use_bdlora"}) {
      if (is_true(kind)) fail(file, std::string("an adapter with ") + kind, "a plain LoRA", kAnotherFile);
    }
  }

  /// What B A of a module counts; 1 without metadata.
  double scale(const std::string& module, int64_t rank) const {
    const nlohmann::json* alpha = alpha_of(module);
    if (alpha == nullptr || rank == 0) return 1;
    if (!alpha->is_number()) values_.fail("lora_alpha", "a number");
    const auto size = static_cast<double>(rank);
    return alpha->get<double>() / (is_true("use_rslora") ? std::sqrt(size) : size);
  }

 private:
  static Config read(const TensorFile& file) {
    const auto found = file.metadata().find(kAdapterMetadata);
    const std::string text = found == file.metadata().end() ? "{}" : found->second;
    return Config::parse(text, file.path().string() + ", " + kAdapterMetadata);
  }

  /// A value, whose key may begin with the component that the adapter is for; nullptr if there is none.
  const nlohmann::json* find(const std::string& key) const {
    for (const std::string& name : {"transformer." + key, "transformer_2." + key, key}) {
      if (values_.has(name)) return &values_.json().at(name);
    }
    return nullptr;
  }

  bool is_true(const std::string& key) const {
    const nlohmann::json* value = find(key);
    return value != nullptr && value->is_boolean() && value->get<bool>();
  }

  const nlohmann::json* alpha_of(const std::string& module) const {
    const nlohmann::json* patterns = find("alpha_pattern");
    if (patterns == nullptr || !patterns->is_object()) return find("lora_alpha");
    for (auto entry = patterns->begin(); entry != patterns->end(); ++entry) {
      const bool whole = entry.key().starts_with("^");
      const std::string name = whole ? entry.key().substr(1) : entry.key();
      if (module == name || (!whole && module.ends_with("." + name))) return &entry.value();
    }
    return find("lora_alpha");
  }

  Config values_;
};

/// Checks the matrices of one module against each other.
void check_module(const TensorFile& file, const std::string& name, const LoraModule& module) {
  const LoraTensor* down = module.find(LoraRole::kDown);
  const LoraTensor* up = module.find(LoraRole::kUp);
  if ((down == nullptr) != (up == nullptr)) {
    const LoraTensor& alone = down != nullptr ? *down : *up;
    fail(file, shown_name(alone.key) + " without its other half", "a down and an up matrix for " + name,
         "download the file again");
  }
  if (down == nullptr) return;
  const std::vector<int64_t>&a = down->stored.shape, &b = up->stored.shape;
  // The up matrix of a convolution has a 1 for each side of its kernel.
  const bool ones = b.size() >= 2 && std::all_of(b.begin() + 2, b.end(), [](int64_t n) { return n == 1; });
  if (a.size() < 2 || !ones || a[0] != b[1] || a[0] == 0) {
    fail(file,
         shown_name(down->key) + " of shape " + shape_text(a) + " and its up matrix of " + shape_text(b),
         "[rank, in] and [out, rank]", "download the file again");
  }
}

/// Whether a tensor of a LoRA is of a size that can change a tensor of the model.
bool fits(LoraRole role, const std::vector<int64_t>& shape, const std::vector<int64_t>& target) {
  const auto from_second = [](const std::vector<int64_t>& sizes) {
    return sizes.empty() ? 0 : number_count({sizes.begin() + 1, sizes.end()});
  };
  if (role == LoraRole::kAlpha) return number_count(shape) == 1;
  if (role == LoraRole::kDown) return from_second(shape) == from_second(target);
  if (role == LoraRole::kUp) return !target.empty() && shape[0] == target[0];
  return number_count(shape) == number_count(target);
}

/// The naming that most keys have.
LoraNaming commonest(const std::map<LoraNaming, int64_t>& counts) {
  const auto most = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? LoraNaming::kDiffusers : most->first;
}

[[noreturn]] void refuse_other_model(const TensorFile& file, const Family& family) {
  std::string example, other;
  for (const auto& [key, stored] : file.tensors()) {
    if (example.empty()) example = key;
    if (other.empty()) other = other_model_of_lora_key(key);
  }
  if (example.empty()) fail(file, "a file without tensors", "a LoRA", "download the file again");
  const bool lora = LoraFile::recognises(file);
  fail(file,
       "no key of a " + family.name() + " transformer among " + std::to_string(file.tensors().size()) +
           ", such as " + shown_name(example) + (other.empty() ? "" : ", which is for " + other),
       lora || !other.empty() ? "a LoRA for " + family.name() : "a LoRA", "use a LoRA made for this model");
}

/// The keys that name a part of a transformer of the family; the others go to `ignored`.
std::map<std::string, LoraKey> understood_keys(const TensorFile& file, const Family& family,
                                               std::vector<std::string>& ignored) {
  const LoraKeyReader reader(family);
  std::map<std::string, LoraKey> keys;
  for (const auto& [key, stored] : file.tensors()) {
    auto parsed = reader.read(key);
    if (!parsed) {
      ignored.push_back(key);
      continue;
    }
    if (parsed->role == LoraRole::kUnsupported) {
      fail(file, "the key " + shown_name(key) + " of an adapter that is no LoRA (DoRA, LoHa, LoKr, ...)",
           "a plain LoRA", "ask for one, or merge the adapter with the program that made it");
    }
    keys.emplace(key, std::move(*parsed));
  }
  if (keys.empty()) refuse_other_model(file, family);
  return keys;
}

}  // namespace

const LoraTensor* LoraModule::find(LoraRole role) const {
  const auto found = tensors.find(role);
  return found == tensors.end() ? nullptr : &found->second;
}

int64_t LoraModule::rank() const {
  const LoraTensor* down = find(LoraRole::kDown);
  return down == nullptr || down->stored.shape.empty() ? 0 : down->stored.shape[0];
}

std::string lora_target(const std::string& module, LoraRole role) {
  if (role == LoraRole::kParameter) return module;
  return module + (role == LoraRole::kUpBias || role == LoraRole::kBias ? ".bias" : ".weight");
}

bool LoraFile::recognises(const TensorFile& file) {
  return std::any_of(file.tensors().begin(), file.tensors().end(),
                     [](const auto& entry) { return is_lora_key(entry.first); });
}

const Family& family_of_lora(const TensorFile& file) {
  const auto understood = [&](const Family* family) {
    const LoraKeyReader reader(*family);
    return std::count_if(file.tensors().begin(), file.tensors().end(),
                         [&](const auto& tensor) { return reader.read(tensor.first).has_value(); });
  };
  const auto fewer = [&](const Family* a, const Family* b) { return understood(a) < understood(b); };
  return **std::max_element(families().begin(), families().end(), fewer);
}

LoraFile LoraFile::open(const std::filesystem::path& path, const Family& family, bool second_expert) {
  LoraFile lora{.family = &family, .file = TensorFile::open(path), .modules = {}, .ignored = {}};
  const std::map<std::string, LoraKey> keys = understood_keys(*lora.file, family, lora.ignored);
  const auto is_for = [&keys](bool second) {
    return std::any_of(keys.begin(), keys.end(),
                       [&](const auto& key) { return key.second.second_expert == second; });
  };
  lora.for_both_experts = is_for(false) && is_for(true);
  std::map<LoraNaming, int64_t> namings;
  for (const auto& [key, parsed] : keys) {
    if (lora.for_both_experts && parsed.second_expert != second_expert) {
      lora.ignored.push_back(key);
      continue;
    }
    ++namings[parsed.naming];
    const auto [other, is_new] = lora.modules[parsed.module].tensors.emplace(
        parsed.role, LoraTensor{key, lora.file->tensors().at(key)});
    if (!is_new) {
      fail(*lora.file, shown_name(key) + " and " + shown_name(other->second.key), "one of them",
           "the file is damaged: download it again");
    }
  }
  lora.naming = commonest(namings);
  const AdapterMetadata metadata(*lora.file);
  for (auto& [name, module] : lora.modules) {
    check_module(*lora.file, name, module);
    module.scale = metadata.scale(name, module.rank());
  }
  return lora;
}

std::string LoraFile::made_for() const {
  std::map<std::string, int64_t> widths;
  for (const auto& [name, module] : modules) {
    const LoraTensor* down = module.find(LoraRole::kDown);
    widths[name] = down != nullptr ? down->stored.shape[1] : 0;
  }
  return family->lora_made_for(widths);
}

LoraMatch LoraFile::match(const Component& transformer) const {
  LoraMatch match{.matched = 0, .total = static_cast<int64_t>(file->tensors().size()), .ignored = ignored};
  for (const auto& [name, module] : modules) {
    for (const auto& [role, tensor] : module.tensors) {
      const std::string target = lora_target(name, role);
      if (!transformer.has(target)) {
        match.ignored.push_back(tensor.key);
        continue;
      }
      const std::vector<int64_t>& shape = transformer.get(target).stored.shape;
      if (!fits(role, tensor.stored.shape, shape)) {
        throw Error(ErrorCode::kInput,
                    {.doing = "applying the LoRA " + file->path().string(),
                     .got = shown_name(tensor.key) + " of shape " + shape_text(tensor.stored.shape),
                     .expected = "one for '" + target + "' of shape " + shape_text(shape),
                     .advice = "this LoRA was made for " + made_for() + ": use another"});
      }
      ++match.matched;
    }
  }
  if (match.matched > 0) return match;
  throw Error(ErrorCode::kInput,
              {.doing = "applying the LoRA " + file->path().string(),
               .got = "no key that names a part of this transformer, out of " + std::to_string(match.total) +
                      ", such as " + shown_name(match.ignored[0]),
               .expected = "a LoRA made for this model",
               .advice = "this one was made for " + made_for()});
}

std::string LoraMatch::text() const {
  constexpr size_t kMostShown = 3, kLongestKey = 120;
  std::string line = std::to_string(matched) + " of " + std::to_string(total) + " keys matched";
  if (ignored.empty()) return line;
  line += ", " + std::to_string(ignored.size()) + " ignored: ";
  for (size_t i = 0; i < std::min(ignored.size(), kMostShown); ++i) {
    line += (i > 0 ? ", " : "") + ignored[i].substr(0, kLongestKey);
  }
  if (ignored.size() > kMostShown) line += " and " + std::to_string(ignored.size() - kMostShown) + " more";
  return line;
}

std::vector<LoraMerge> open_loras(const std::vector<NamedLora>& named, const Family& family,
                                  const Component& transformer, bool second_expert) {
  std::vector<LoraMerge> merges;
  for (const NamedLora& choice : named) {
    LoraFile lora = LoraFile::open(choice.file, family, second_expert);
    LoraMatch match = lora.match(transformer);
    merges.push_back({std::move(lora), choice.strength, std::move(match)});
  }
  return merges;
}

}  // namespace t2v
