#include "pipelines/memory_plan.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace t2v {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
/// A block at work and two on their way.
constexpr int64_t kAhead = 2;
constexpr int64_t kPrompts = 2, kPromptRows = 512, kImageRows = 257;
/// The latents, what the model made of them for two prompts, and what UniPC remembers of steps before.
constexpr int64_t kLatentTensors = 6;

/// The most bytes for each token that a WanTransformerBlock holds at once. The residual stream is float32, at
/// its entry and after a sub-layer; what linear layers take and give has the dtype of the weights.
int64_t block_bytes(const WanTransformer3DConfig& config, Placement placement) {
  const int64_t dim = config.dim(), ffn_dim = config.ffn_dim;
  const int64_t wide = sizeof(float), size = static_cast<int64_t>(at::elementSize(placement.dtype));
  const bool is_wide = size == wide, is_cpu = placement.device.is_cpu();
  // What .to(float32) makes of a narrow tensor.
  const int64_t widened = is_wide ? 0 : wide;
  // Self-attention when its output is projected: stream, input, query, key, value, output and its projection.
  const int64_t attended = dim * (wide + 6 * size);
  // When the key is turned: stream, input, query, projection and norm of the key, both as float32 pairs.
  const int64_t rotated = dim * (wide + 4 * size + widened + wide + (is_wide ? 0 : size));
  // Cross-attention at the norm of its queries, which on the CPU is made of plain steps in float32.
  const int64_t queried = dim * (3 * wide + (is_wide ? 2 : 3) * size + (is_cpu ? 2 * wide : 0));
  // The feed-forward inside GELU, which is a step of its own but for float32 on the CPU, and when its output
  // is added: both streams, input, inside, output, its float32 and the sum.
  const int64_t copies = is_wide && is_cpu ? 1 : 2;
  const int64_t inside = dim * (2 * wide + size) + copies * ffn_dim * size;
  const int64_t added = dim * (3 * wide + 2 * size + widened) + ffn_dim * size;
  const int64_t rotations = config.attention_head_dim / 2 * 2 * wide;
  return std::max({attended, rotated, queried, inside, added}) + rotations;
}

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
                          const ClipShape& clip, Placement placement) {
  const LatentShape latents = latent_shape(transformer, vae, clip);
  const auto size = static_cast<int64_t>(at::elementSize(placement.dtype));
  const int64_t image_rows = transformer.image_dim ? kImageRows : 0;
  const int64_t context = kPrompts * transformer.num_layers * 2 * (kPromptRows + image_rows);
  const int64_t sampler = kLatentTensors * std::max(transformer.in_channels, transformer.out_channels) *
                          transformer.patch_volume() * int64_t{sizeof(float)};
  return static_cast<uint64_t>(context * transformer.dim() * size +
                               latents.tokens * (block_bytes(transformer, placement) + sampler));
}

uint64_t bytes_beside(const Checkpoint& checkpoint, const std::string& component, const ClipShape& clip,
                      Placement placement) {
  const auto transformer = WanTransformer3DConfig::from_config(checkpoint.get(component).config);
  const Component& vae = checkpoint.get("vae");
  return loaded_bytes(vae, {.placement = {}, .keep_in_fp32 = {}}) +
         (placement.device.is_cpu() ? 0 : kCudaRuntime) +
         activation_bytes(transformer, AutoencoderKLWanConfig::from_config(vae.config), clip, placement);
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
