#include "files/checkpoints/identify.h"

#include <algorithm>
#include <array>
#include <set>

#include "families/naming.h"
#include "files/checkpoints/lora_key.h"
#include "files/formats/file_headers.h"

namespace t2v {
namespace {

/// A naming whose marker is there, behind `prefix`.
struct Found {
  const Naming* naming;
  std::string prefix;  ///< "" or ending in '.'
};

std::vector<Found> find_namings(const Component& files) {
  std::vector<Found> found;
  for (const Naming& naming : namings()) {
    for (const auto& [name, source] : files.tensors) {
      if (!name.ends_with(naming.marker)) continue;
      const std::string prefix = name.substr(0, name.size() - naming.marker.size());
      if (prefix.empty() || prefix.back() == '.') found.push_back({&naming, prefix});
    }
  }
  // A tensor belongs to the longest prefix that it begins with.
  std::stable_sort(found.begin(), found.end(),
                   [](const Found& a, const Found& b) { return a.prefix.size() > b.prefix.size(); });
  return found;
}

Error input_error(const Component& files, const std::string& got, const std::string& advice) {
  return Error(ErrorCode::kInput,
               {.doing = "reading " + files.origin,
                .got = got,
                .expected = "a transformer, VAE, text encoder or image encoder of a Wan model",
                .advice = advice});
}

/// Some publishers flatten, some leave out dimensions of 1: the same numbers, in the shape that diffusers
/// has.
void reshape(const std::string& name, StoredTensor& stored) {
  if (!stored.strides.empty()) return;  // nobody publishes such a one
  std::vector<int64_t>& shape = stored.shape;
  const auto ends = [&](const char* ending) { return name.ends_with(ending); };
  if (ends("patch_embedding.weight") && shape.size() == 2 && shape[1] % 4 == 0) {
    shape = {shape[0], shape[1] / 4, 1, 2, 2};
  }
  const size_t rank = ends("scale_shift_table") || ends("image_embedder.pos_embed") ? 3
                      : name == "embeddings.class_embedding"                        ? 1
                      : name == "embeddings.position_embedding.weight"              ? 2
                                                                                    : shape.size();
  while (shape.size() < rank) shape.insert(shape.begin(), 1);
  while (shape.size() > rank && shape.front() == 1) shape.erase(shape.begin());
}

/// Whether as many tensors of equally many rows lie in it one after another, none of them with half a block.
bool divides_into(const StoredTensor& stored, int64_t parts) {
  if (!stored.strides.empty() || stored.shape.empty() || stored.shape[0] % parts != 0) return false;
  const auto bytes = static_cast<int64_t>(stored.end - stored.begin);
  return bytes % (parts * number_block(stored.format).bytes) == 0;
}

RenameTable full_table(const Found& found, const Component& files) {
  RenameTable table = found.naming->table;
  if (found.naming->component == "vae" && found.naming->name == "original") {
    const RenameTable levels =
        vae_levels([&](const std::string& name) { return files.has(found.prefix + name); });
    table.insert(table.begin(), levels.begin(), levels.end());
  }
  return table;
}

/// Moves what begins with the prefix out of `rest`.
Component take_component(const Found& found, const Component& files,
                         std::map<std::string, TensorSource, std::less<>>& rest) {
  const RenameTable table = full_table(found, files);
  Component component{.origin = files.origin, .config = files.config, .files = {}, .tensors = {}};
  std::set<std::shared_ptr<const TensorFile>> used;
  for (auto tensor = rest.lower_bound(found.prefix);
       tensor != rest.end() && tensor->first.starts_with(found.prefix); tensor = rest.erase(tensor)) {
    const std::string own = tensor->first.substr(found.prefix.size());
    const std::string name = rename(table, own).value_or(own);
    if (name.empty()) continue;
    TensorSource source = tensor->second;
    reshape(name, source.stored);
    used.insert(source.file);
    if (!component.tensors.emplace(name, std::move(source)).second) {
      throw input_error(files, "two tensors that are " + shown_name(name),
                        "check that the file holds one model");
    }
  }
  component.files.assign(used.begin(), used.end());
  std::sort(component.files.begin(), component.files.end(),
            [](const auto& a, const auto& b) { return a->path() < b->path(); });
  return component;
}

}  // namespace

std::map<std::string, Identified, std::less<>> identify(const Component& files) {
  std::map<std::string, Identified, std::less<>> identified;
  auto rest = files.tensors;
  for (const Found& found : find_namings(files)) {
    const std::string name(found.naming->component);
    Component component = take_component(found, files, rest);
    join_scales(component);
    if (name != "vae") split_fused(component);
    if (!identified.emplace(name, Identified{std::move(component), found.naming->name}).second) {
      throw input_error(files, "two of " + name, "name one file for each component");
    }
  }
  return identified;
}

Error unknown_tensors_error(const Component& files) {
  const bool lora = std::any_of(files.tensors.begin(), files.tensors.end(),
                                [](const auto& tensor) { return is_lora_key(tensor.first); });
  if (lora) return input_error(files, "a LoRA", "name it with --lora, and the model with --model");
  const bool empty = files.tensors.empty();
  return input_error(files, empty ? "no tensors" : "tensors as " + shown_name(files.tensors.begin()->first),
                     "check that it is a file of a Wan model");
}

void join_scales(Component& component) {
  constexpr std::array<std::string_view, 2> kScales = {".scale_weight", ".weight_scale"};
  constexpr std::array<std::string_view, 4> kOfActivations = {".scale_input", ".input_scale", ".comfy_quant",
                                                              "scaled_fp8"};
  for (auto tensor = component.tensors.begin(); tensor != component.tensors.end();) {
    const std::string& name = tensor->first;
    const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
    const auto scale = std::find_if(kScales.begin(), kScales.end(), ends);
    if (scale != kScales.end()) {
      const auto weight = component.tensors.find(name.substr(0, name.size() - scale->size()) + ".weight");
      if (weight != component.tensors.end()) {
        weight->second.scale = std::make_shared<const TensorSource>(tensor->second);
        tensor = component.tensors.erase(tensor);
        continue;
      }
    }
    const bool unused = std::any_of(kOfActivations.begin(), kOfActivations.end(), ends);
    tensor = unused ? component.tensors.erase(tensor) : std::next(tensor);
  }
}

void split_fused(Component& component) {
  struct Fused {
    std::string_view whole;
    std::vector<std::string> parts;
  };
  static const std::vector<Fused> kFused = {{".to_qkv.", {".to_q.", ".to_k.", ".to_v."}},
                                            {".to_kv.", {".to_k.", ".to_v."}},
                                            {".to_added_kv.", {".add_k_proj.", ".add_v_proj."}},
                                            {".qkv.", {".q_proj.", ".k_proj.", ".v_proj."}}};
  std::map<std::string, TensorSource, std::less<>> split;
  for (const auto& [name, source] : component.tensors) {
    const auto fused = std::find_if(kFused.begin(), kFused.end(),
                                    [&](const Fused& f) { return name.find(f.whole) != std::string::npos; });
    const StoredTensor& stored = source.stored;
    const bool divides = fused != kFused.end() && !source.scale &&
                         divides_into(stored, static_cast<int64_t>(fused->parts.size()));
    if (!divides) {
      split.emplace(name, source);
      continue;
    }
    TensorSource part = source;
    part.stored.shape[0] /= static_cast<int64_t>(fused->parts.size());
    const uint64_t bytes = (stored.end - stored.begin) / fused->parts.size();
    for (const std::string& part_name : fused->parts) {
      part.stored.end = part.stored.begin + bytes;
      std::string renamed = name;
      split.emplace(renamed.replace(renamed.find(fused->whole), fused->whole.size(), part_name), part);
      part.stored.begin = part.stored.end;
    }
  }
  component.tensors = std::move(split);
}

}  // namespace t2v
