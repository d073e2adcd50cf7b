#include "tensors/weights/lora.h"

#include "tensors/weights/read_tensor.h"

namespace t2v {
namespace {

struct Target {
  std::string module;
  std::vector<LoraRole> roles;  ///< of the tensors that bear upon it
};

/// The module that the tensor `name` belongs to.
Target target_of(const std::string& name) {
  if (name.ends_with(".weight")) {
    return {name.substr(0, name.rfind('.')), {LoraRole::kUp, LoraRole::kWeight}};
  }
  if (name.ends_with(".bias")) return {name.substr(0, name.rfind('.')), {LoraRole::kUpBias, LoraRole::kBias}};
  return {name, {LoraRole::kParameter}};
}

Tensor read(const LoraFile& lora, const LoraTensor& tensor, at::Device device) {
  return read_tensor({lora.file, tensor.stored}).to(device, at::kFloat);
}

/// alpha / rank if the file has an alpha, else the scale in its metadata.
double scale_of(const LoraFile& lora, const LoraModule& module) {
  const LoraTensor* alpha = module.find(LoraRole::kAlpha);
  if (alpha == nullptr || module.rank() == 0) return module.scale;
  return read(lora, *alpha, at::kCPU).to(at::kDouble).item<double>() / static_cast<double>(module.rank());
}

/// The change of one LoRA to `base`, before its strength.
Tensor delta(const LoraFile& lora, const LoraModule& module, LoraRole role, const Tensor& base) {
  const Tensor stored = read(lora, *module.find(role), base.device());
  if (role == LoraRole::kUpBias) return stored.mul(scale_of(lora, module)).reshape(base.sizes());
  if (role != LoraRole::kUp) return stored.reshape(base.sizes());
  const Tensor down = read(lora, *module.find(LoraRole::kDown), base.device());
  // A convolution kernel is flattened to a matrix.
  return at::mm(stored.flatten(1), down.flatten(1)).mul(scale_of(lora, module)).reshape(base.sizes());
}

/// Calls `action` with each LoRA, module and role that changes the tensor `name`.
template <typename Action>
void for_each_change(const std::vector<LoraMerge>& loras, const std::string& name, const Action& action) {
  const Target target = target_of(name);
  for (const LoraMerge& merge : loras) {
    const auto module = merge.lora.modules.find(target.module);
    if (module == merge.lora.modules.end()) continue;
    for (const LoraRole role : target.roles) {
      if (module->second.find(role) != nullptr) action(merge, module->second, role);
    }
  }
}

}  // namespace

bool lora_changes(const std::vector<LoraMerge>& loras, const std::string& name) {
  bool changes = false;
  for_each_change(loras, name, [&](const auto&, const auto&, LoraRole) { changes = true; });
  return changes;
}

Tensor lora_merged(const std::vector<LoraMerge>& loras, const std::string& name, const Tensor& base) {
  Tensor merged = base.to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  for_each_change(loras, name, [&](const LoraMerge& merge, const LoraModule& module, LoraRole role) {
    merged.add_(delta(merge.lora, module, role, merged), merge.strength);
  });
  return merged;
}

}  // namespace t2v
