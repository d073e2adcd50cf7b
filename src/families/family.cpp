#include "families/family.h"

#include <algorithm>

namespace t2v {

std::map<std::string, std::string> Family::comfy_names(const std::string& /*part*/,
                                                       const PartInfo& info) const {
  std::map<std::string, std::string> names;
  for (const auto& [name, shape] : info.tensors) names.emplace(name, name);
  return names;
}

std::optional<MissingPart> Family::missing(const PartKind& part, const ModelInfo& /*model*/) const {
  return part.required ? std::optional(MissingPart{part.name}) : std::nullopt;
}

std::string Family::lora_made_for(const std::map<std::string, int64_t>& /*widths*/) const {
  return "a " + name() + " transformer";
}

const PartKind* find_part(const Family& family, std::string_view name) {
  const std::vector<PartKind>& parts = family.parts();
  const auto found =
      std::find_if(parts.begin(), parts.end(), [&](const PartKind& part) { return part.name == name; });
  return found == parts.end() ? nullptr : &*found;
}

const PartKind& denoiser_of(const Family& family) { return family.parts().front(); }

const PartKind* second_denoiser_of(const Family& family) {
  const std::vector<PartKind>& parts = family.parts();
  return parts.size() > 1 && parts[1].twin == denoiser_of(family).name ? &parts[1] : nullptr;
}

const PartKind& vae_of(const Family& family) {
  return family.parts().at(second_denoiser_of(family) == nullptr ? 1 : 2);
}

}  // namespace t2v
