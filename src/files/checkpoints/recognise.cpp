#include "files/checkpoints/recognise.h"

#include <algorithm>
#include <array>
#include <set>

#include "families/registry.h"
#include "files/checkpoints/lora_key.h"
#include "files/formats/file_headers.h"

namespace t2v {
namespace {

/// A key map whose marker is there, behind `prefix`.
struct Found {
  const PartKind* part;
  const KeyMap* key_map;
  std::string prefix;  ///< "" or ending in '.'
};

std::vector<Found> find_key_maps(const Component& files, const PartKind& part) {
  std::vector<Found> found;
  for (const KeyMap& key_map : part.key_maps) {
    for (const auto& [name, source] : files.tensors) {
      if (!name.ends_with(key_map.marker)) continue;
      const std::string prefix = name.substr(0, name.size() - key_map.marker.size());
      if (prefix.empty() || prefix.back() == '.') found.push_back({&part, &key_map, prefix});
    }
  }
  return found;
}

std::vector<Found> find_key_maps(const Component& files, const Family& family) {
  std::vector<Found> all;
  for (const PartKind& part : family.parts()) {
    const std::vector<Found> found = find_key_maps(files, part);
    all.insert(all.end(), found.begin(), found.end());
  }
  // A tensor belongs to the longest prefix that it begins with.
  std::stable_sort(all.begin(), all.end(),
                   [](const Found& a, const Found& b) { return a.prefix.size() > b.prefix.size(); });
  return all;
}

Error input_error(const Component& files, const std::string& got, const std::string& advice) {
  return Error(ErrorCode::kInput,
               {.doing = "reading " + files.origin, .got = got, .expected = any_part(), .advice = advice});
}

/// Whether the rows of a tensor, and the bytes of its number format, divide into this many equal parts.
bool divides_into(const StoredTensor& stored, int64_t parts) {
  if (!stored.strides.empty() || stored.shape.empty() || stored.shape[0] % parts != 0) return false;
  const auto bytes = static_cast<int64_t>(stored.end - stored.begin);
  return bytes % (parts * number_block(stored.format).bytes) == 0;
}

RenameTable full_table(const Found& found, const Component& files) {
  RenameTable table;
  if (found.key_map->make_entries) {
    table =
        found.key_map->make_entries([&](const std::string& name) { return files.has(found.prefix + name); });
  }
  table.insert(table.end(), found.key_map->table.begin(), found.key_map->table.end());
  return table;
}

using Tensors = std::map<std::string, TensorSource, std::less<>>;

/// Moves the tensors that begin with the prefix out of `rest`.
Component take_component(const Found& found, const Component& files, const Family& family, Tensors& rest) {
  const RenameTable table = full_table(found, files);
  Component component{.origin = files.origin, .config = files.config, .files = {}, .tensors = {}};
  std::set<std::shared_ptr<const TensorFile>> used;
  for (auto tensor = rest.lower_bound(found.prefix);
       tensor != rest.end() && tensor->first.starts_with(found.prefix); tensor = rest.erase(tensor)) {
    const std::string own = tensor->first.substr(found.prefix.size());
    const std::string name = rename(table, own).value_or(own);
    if (name.empty()) continue;
    TensorSource source = tensor->second;
    // Nobody publishes a strided tensor in another shape.
    if (source.stored.strides.empty()) family.restore_shape(name, source.stored.shape);
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

std::map<std::string, RecognisedPart, std::less<>> recognise_parts(const Component& files,
                                                                   const Family& family) {
  std::map<std::string, RecognisedPart, std::less<>> parts;
  Tensors rest = files.tensors;
  for (const Found& found : find_key_maps(files, family)) {
    Component component = take_component(found, files, family, rest);
    join_scales(component);
    split_fused(component, found.part->fused);
    const bool is_new =
        parts.emplace(found.part->name, RecognisedPart{std::move(component), found.key_map->naming}).second;
    if (!is_new) throw input_error(files, "two of " + found.part->name, "name one file for each component");
  }
  return parts;
}

const Family* recognise_family(const std::vector<const Component*>& files) {
  const Family* first = nullptr;
  for (const Component* component : files) {
    for (const Family* family : families()) {
      const std::vector<Found> found = find_key_maps(*component, *family);
      const PartKind* transformer = &denoiser_of(*family);
      if (std::any_of(found.begin(), found.end(), [&](const Found& f) { return f.part == transformer; })) {
        return family;
      }
      if (!found.empty() && first == nullptr) first = family;
    }
  }
  return first;
}

Error unknown_tensors_error(const Component& files) {
  const bool lora = std::any_of(files.tensors.begin(), files.tensors.end(),
                                [](const auto& tensor) { return is_lora_key(tensor.first); });
  if (lora) return input_error(files, "a LoRA", "name it with `lora`, and the model with `model`");
  const bool empty = files.tensors.empty();
  return input_error(files, empty ? "no tensors" : "tensors as " + shown_name(files.tensors.begin()->first),
                     "check that it is a file of " + any_model());
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

void split_fused(Component& component, const std::vector<FusedTensors>& fused_tensors) {
  if (fused_tensors.empty()) return;
  Tensors split;
  for (const auto& [name, source] : component.tensors) {
    const auto fused = std::find_if(fused_tensors.begin(), fused_tensors.end(), [&](const FusedTensors& f) {
      return name.find(f.whole) != std::string::npos;
    });
    const StoredTensor& stored = source.stored;
    const bool divides = fused != fused_tensors.end() && !source.scale &&
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
