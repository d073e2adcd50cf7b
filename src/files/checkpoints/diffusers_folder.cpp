#include "files/checkpoints/diffusers_folder.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "families/registry.h"
#include "files/checkpoints/recognise.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void unsupported(const Config& index, const std::string& got, const std::string& expected) {
  throw Error(ErrorCode::kInput, {.doing = "reading " + index.origin(), .got = got, .expected = expected});
}

Config read_model_index(const fs::path& folder) { return Config::read(folder / "model_index.json"); }

/// [library, class] of a component in model_index.json; "" for one that is absent or [null, null].
std::string component_class(const Config& index, const std::string& name) {
  if (!index.has(name)) return "";
  const nlohmann::json& entry = index.json().at(name);
  if (!entry.is_array() || entry.size() != 2) index.fail(name, "[library, class]");
  return entry[1].is_string() ? entry[1].get<std::string>() : "";
}

const Family& family_of(const Config& index) {
  const std::string pipeline = index.text("_class_name", "");
  if (const Family* family = find_family_of_pipeline(pipeline)) return *family;
  std::string known;
  for (const Family* family : families()) {
    for (const std::string& name : family->index_format().pipelines)
      known += (known.empty() ? "" : ", ") + name;
  }
  unsupported(index, "the pipeline '" + pipeline + "'", "one of " + known);
}

Component open_component(const fs::path& folder, const PartKind& kind) {
  const Config config = Config::read(folder / "config.json");
  Component component = open_tensors(folder, kind.weights);
  component.config = config;
  join_scales(component);
  split_fused(component, kind.fused);
  return component;
}

}  // namespace

bool is_diffusers_folder(const fs::path& folder) {
  std::error_code ignored;
  return fs::symlink_status(folder / "model_index.json", ignored).type() > fs::file_type::not_found;
}

const Family& family_of_diffusers_folder(const fs::path& folder) {
  return family_of(read_model_index(folder));
}

Checkpoint open_diffusers_folder(const fs::path& folder, const std::set<std::string, std::less<>>& left_out,
                                 ConfigsByPart& configs) {
  const Config index = read_model_index(folder);
  const Family& family = family_of(index);
  Checkpoint checkpoint{.family = &family,
                        .origin = folder.string(),
                        .index = family.read_index(index),
                        .scheduler = Config::read(folder / "scheduler" / "scheduler_config.json")};
  for (const PartKind& kind : family.parts()) {
    const fs::path part = folder / kind.name;
    std::error_code ignored;
    if (kind.weights.empty()) {
      if (fs::exists(part, ignored)) checkpoint.tokenizers[kind.name] = {.path = part};
      continue;
    }
    if (left_out.contains(kind.name)) {
      if (fs::exists(part / "config.json", ignored))
        configs.emplace(kind.name, Config::read(part / "config.json"));
      continue;
    }
    const std::string class_name = component_class(index, kind.name);
    if (class_name.empty() && !kind.required) continue;
    if (std::find(kind.classes.begin(), kind.classes.end(), class_name) == kind.classes.end()) {
      unsupported(index, kind.name + " '" + class_name + "'", kind.classes.front());
    }
    checkpoint.components.emplace(kind.name, open_component(part, kind));
  }
  return checkpoint;
}

}  // namespace t2v
