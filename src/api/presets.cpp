#include "api/presets.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/data_folder.h"
#include "core/log.h"
#include "families/registry.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// What a path is called: its last name, and its repository's in the Hugging Face cache. Other folders on the
/// way to it say nothing about it.
std::string name_of(const fs::path& path) {
  std::string name = (path / "").parent_path().filename().string();
  for (const fs::path& folder : path) {
    if (folder.string().starts_with("models--")) name += '\n' + folder.string();
  }
  return name + '\n';
}

/// The names of the model, of its transformers and of the LoRAs for them, in lower case.
std::string names_of(const ModelChoice& choice, const Family& family) {
  std::string names = name_of(choice.model);
  for (const PartKind& part : family.parts()) {
    if (part.network() == denoiser_of(family).name) names += name_of(choice.part(part.name));
  }
  for (const auto* loras : {&choice.loras, &choice.loras_2}) {
    for (const LoraChoice& lora : *loras) names += name_of(lora.file);
  }
  std::transform(names.begin(), names.end(), names.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return names;
}

/// Whether the checkpoint is what `key` of "matches" asks for.
bool holds(const Config& preset, const std::string& key, const json& wanted, const Checkpoint& checkpoint,
           const std::string& names) {
  if (key == "pipeline") return wanted == checkpoint.pipeline();
  if (key == "names") {
    return std::any_of(wanted.begin(), wanted.end(), [&](const json& word) {
      return names.find(word.get<std::string>()) != std::string::npos;
    });
  }
  if (!is_index_key(key)) preset.fail("matches", "no key '" + key + "'");
  if (find_part(*checkpoint.family, key) == nullptr)
    return wanted == checkpoint.index.json().value(key, json());
  if (!wanted.is_object()) return wanted == checkpoint.has(key);
  const Config part = checkpoint.configurations().config(key);
  return std::all_of(wanted.items().begin(), wanted.items().end(),
                     [&](const auto& item) { return part.json().value(item.key(), json()) == item.value(); });
}

/// How much a preset asks for, 0 for nothing; -1 if the checkpoint is something else.
int64_t specificity(const Config& preset, const Checkpoint& checkpoint, const std::string& names) {
  if (!preset.has("matches")) return 0;
  int64_t asked = 0;
  for (const auto& [key, wanted] : preset.json().at("matches").items()) {
    if (!holds(preset, key, wanted, checkpoint, names)) return -1;
    asked += wanted.is_object() ? static_cast<int64_t>(wanted.size()) : 1;
  }
  return asked;
}

}  // namespace

Config find_preset(const Checkpoint& checkpoint, const ModelChoice& choice) {
  const std::string names = names_of(choice, *checkpoint.family);
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(data_folder() / "configs")) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Config best = Config::read(data_folder() / "configs" / "default.json");
  int64_t asked = 0;
  for (const fs::path& file : files) {
    const Config preset = Config::read(file);
    const int64_t asks = specificity(preset, checkpoint, names);
    if (asks < asked) continue;
    best = preset;
    asked = asks;
  }
  log_verbose("preset " + best.origin());
  return best;
}

int64_t preset_integer(const Config& preset, const std::string& key) {
  if (!preset.has(key)) preset.fail(key, "a value");
  return preset.integer(key, 0);
}

double preset_number(const Config& preset, const std::string& key) {
  if (!preset.has(key)) preset.fail(key, "a value");
  return preset.number(key, 0);
}

}  // namespace t2v
