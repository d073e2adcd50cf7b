#include <set>

#include "families/wan/tensor_names.h"
#include "families/wan/wan_parts.h"

namespace t2v {
namespace {

/// The table from diffusers' names to the others. A tensor that `table` drops has no entry.
RenameTable inverse(const RenameTable& table) {
  RenameTable back;
  for (const Rename& entry : table) {
    if (!entry.to.empty()) back.push_back({entry.to, entry.from, inverse(entry.inner)});
  }
  return back;
}

/// Collects the original names of a VAE, as far as original_vae_levels() asks for them.
class OriginalLevels {
 public:
  explicit OriginalLevels(const PartInfo& vae) : vae_(vae) {}

  /// The blocks `from`.resnets.N and the resampler behind them, which become `to`.N and so on.
  void add_level(const std::string& from, const std::string& resampler, const std::string& to,
                 int64_t& number) {
    for (int64_t n = 0; vae_.has(from + ".resnets." + std::to_string(n) + ".conv1.weight"); ++n) {
      names_.insert(to + "." + std::to_string(number++) + ".residual.2.weight");
    }
    if (vae_.has(from + "." + resampler + ".resample.1.weight")) {
      names_.insert(to + "." + std::to_string(number++) + ".resample.1.weight");
    }
  }

  RenameTable table() const {
    return original_vae_levels([this](const std::string& name) { return names_.contains(name); });
  }

 private:
  const PartInfo& vae_;
  std::set<std::string> names_;
};

RenameTable levels_of(const PartInfo& vae) {
  OriginalLevels levels(vae);
  // Wan2.2 has a list for each level, in both halves; Wan2.1 one list for all.
  const bool by_level = vae.has("encoder.down_blocks.0.resnets.0.conv1.weight");
  int64_t number = 0;
  for (int64_t level = 0;; ++level) {
    const std::string i = std::to_string(level);
    const std::string down = "encoder.down_blocks." + i, up = "decoder.up_blocks." + i;
    if (!vae.has(up + ".resnets.0.conv1.weight")) return levels.table();
    if (by_level) {
      int64_t of_down = 0, of_up = 0;
      levels.add_level(down, "downsampler", "encoder.downsamples." + i + ".downsamples", of_down);
      levels.add_level(up, "upsampler", "decoder.upsamples." + i + ".upsamples", of_up);
    } else {
      levels.add_level(up, "upsamplers.0", "decoder.upsamples", number);
    }
  }
}

RenameTable table_for(const std::string& part, const PartInfo& info) {
  if (part == "vae") {
    RenameTable table = inverse(levels_of(info));
    for (Rename& entry : inverse(original_vae_names())) table.push_back(std::move(entry));
    return table;
  }
  if (part == "image_encoder") return {{"vision_model.*", "vision_model.*"}, {"*", "vision_model.*"}};
  if (part == "text_encoder") return {};
  return inverse(original_transformer_names());
}

}  // namespace

std::map<std::string, std::string> wan_comfy_names(const std::string& part, const PartInfo& info) {
  const RenameTable table = table_for(part, info);
  std::map<std::string, std::string> names;
  for (const auto& [name, shape] : info.tensors) names.emplace(name, rename(table, name).value_or(name));
  return names;
}

}  // namespace t2v
