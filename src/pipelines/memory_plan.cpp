#include "pipelines/memory_plan.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace t2v {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
/// A block at work and two on their way.
constexpr int64_t kAhead = 2;

std::string in_gib(uint64_t bytes) {
  const auto hundredths = static_cast<int64_t>(std::ceil(static_cast<double>(bytes) / kGiB * 100));
  const std::string fraction = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + (fraction.size() < 2 ? "0" : "") + fraction;
}

uint64_t loaded_bytes(const std::string& name, const StoredTensor& stored, const LoadOptions& options) {
  uint64_t bytes = at::elementSize(loaded_dtype(name, stored, options));
  for (const int64_t size : stored.shape) bytes *= static_cast<uint64_t>(size);
  return bytes;
}

[[noreturn]] void too_little(double max_vram, uint64_t needed, const std::string& advice) {
  std::string limit = std::to_string(max_vram);
  limit.erase(limit.find_last_not_of('0') + 1);
  if (limit.back() == '.') limit.pop_back();
  throw Error(ErrorCode::kResource, {.doing = "--max-vram " + limit,
                                     .got = "a transformer that needs " + in_gib(needed) + " GiB",
                                     .expected = "at most " + limit,
                                     .advice = advice});
}

}  // namespace

uint64_t loaded_bytes(const Component& component, const LoadOptions& options, std::string_view prefix) {
  uint64_t bytes = 0;
  for (const auto& [name, source] : component.tensors) {
    if (name.starts_with(prefix)) bytes += loaded_bytes(name, source.stored, options);
  }
  return bytes;
}

uint64_t activation_bytes(const WanTransformer3DConfig& transformer, const AutoencoderKLWanConfig& vae,
                          const ClipShape& clip, at::ScalarType dtype) {
  const int64_t frames = (clip.num_frames - 1) / vae.scale_factor_temporal + 1;
  const int64_t pixels = (clip.height / vae.scale_factor_spatial) * (clip.width / vae.scale_factor_spatial);
  const int64_t tokens = frames * pixels / transformer.patch_volume();
  const auto size = static_cast<int64_t>(at::elementSize(dtype));
  const int64_t each = transformer.dim() * (6 * size + 16) + transformer.ffn_dim * 2 * size;
  return static_cast<uint64_t>(tokens * each);
}

TransformerMemory TransformerMemory::of(const Component& transformer, const LoadOptions& options,
                                        uint64_t beside) {
  TransformerMemory memory;
  std::map<std::string, uint64_t> block_bytes;
  constexpr std::string_view kBlocks = "blocks.";
  for (const auto& [name, source] : transformer.tensors) {
    if (!name.starts_with(kBlocks)) continue;
    block_bytes[name.substr(0, name.find('.', kBlocks.size()))] += loaded_bytes(name, source.stored, options);
  }
  for (const auto& [name, bytes] : block_bytes) {
    memory.blocks += bytes;
    memory.largest = std::max(memory.largest, bytes);
  }
  memory.count = static_cast<int64_t>(block_bytes.size());
  memory.others = loaded_bytes(transformer, options) - memory.blocks + beside;
  return memory;
}

BlockResidency plan_blocks(const TransformerMemory& memory, const std::string& offload,
                           std::optional<double> max_vram) {
  const auto waiting = offload == "disk" ? BlockResidency::Waiting::kFile : BlockResidency::Waiting::kHost;
  if (!max_vram) {
    if (offload == "none" || offload == "auto") return {};
    return {.resident = 0, .ahead = kAhead, .waiting = waiting};
  }
  const auto limit = static_cast<uint64_t>(*max_vram * kGiB);
  const uint64_t everything = memory.others + memory.blocks;
  const uint64_t least = memory.others + (kAhead + 1) * memory.largest;
  if (everything <= limit) return {};
  if (offload == "none") too_little(*max_vram, everything, "leave out --offload none");
  if (least > limit) too_little(*max_vram, least, "ask for fewer frames or a smaller picture");
  const auto resident = static_cast<int64_t>((limit - least) / memory.largest);
  return {.resident = resident, .ahead = kAhead, .waiting = waiting};
}

}  // namespace t2v
