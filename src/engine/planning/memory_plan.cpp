#include "engine/planning/memory_plan.h"

#include <algorithm>
#include <map>

#include "core/machine.h"
#include "engine/planning/vae_memory.h"
#include "networks/autoencoders/vae_tiling.h"
#include "networks/transformers/transformer_wan.h"
#include "networks/transformers/transformer_wan_vace.h"
#include "sampling/guidance/classifier_free_guidance.h"

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

uint64_t loaded_bytes(const std::string& name, const StoredTensor& stored, const LoadOptions& options) {
  uint64_t bytes = at::elementSize(loaded_dtype(name, stored, options));
  for (const int64_t size : stored.shape) bytes *= static_cast<uint64_t>(size);
  return bytes;
}

/// What the control branch of VACE adds: its own residual stream, the control latents, and the keys and
/// values of two prompts.
int64_t control_bytes(const WanVACETransformer3DConfig& config, int64_t tokens, int64_t size) {
  const int64_t wide = sizeof(float), dim = config.transformer.dim();
  const int64_t latents = config.vace_in_channels * config.transformer.patch_volume() * wide;
  const auto layers = static_cast<int64_t>(config.vace_layers.size());
  return tokens * (dim * wide + latents) + kPrompts * layers * 2 * kPromptRows * dim * size;
}

/// What a StepCache keeps of the step before, in float32: what the blocks added for each prompt, or what the
/// model did, and then also three tensors to compare with.
int64_t cache_bytes(const CheckedRequest& request, const WanTransformer3DConfig& config, int64_t tokens) {
  constexpr int64_t kCompared = 3;
  const int64_t prompts = is_guided(request.sampling.guidance_scale) ? 2 : 1;
  if (request.caching.mode == "none") return 0;
  if (request.caching.mode != "easycache") return prompts * tokens * config.dim() * int64_t{sizeof(float)};
  return (prompts + kCompared) * tokens * config.out_channels * config.patch_volume() *
         int64_t{sizeof(float)};
}

/// A preview decodes one frame at a time.
uint64_t preview_bytes(const CheckedRequest& request, const AutoencoderKLWanConfig& vae, bool on_cpu) {
  if (!request.outputs.makes_previews()) return 0;
  return static_cast<uint64_t>(decode_bytes(vae, {1, request.size.height, request.size.width},
                                            on_cpu ? host_allocation() : gpu_allocation(), tile_of(request)));
}

/// What Matrix::numbers() makes of the largest matrix on the way to the numbers it is computed in.
int64_t fp8_bytes(const Component& expert, const CheckedRequest& request, Placement placement) {
  if (request.machine.dtype != "fp8") return 0;
  const LoadOptions options{
      .placement = placement, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32(), .fp8_matrices = true};
  int64_t largest = 0;
  for (const auto& [name, source] : expert.tensors) {
    if (loaded_dtype(name, source.stored, options) == at::kFloat8_e4m3fn)
      largest = std::max(largest, static_cast<int64_t>(loaded_bytes(name, source.stored, options)));
  }
  return largest * static_cast<int64_t>(sizeof(float) + at::elementSize(placement.dtype));
}

[[noreturn]] void too_little(double max_vram, uint64_t needed, const std::string& advice) {
  std::string limit = std::to_string(max_vram);
  limit.erase(limit.find_last_not_of('0') + 1);
  if (limit.back() == '.') limit.pop_back();
  throw Error(ErrorCode::kResource, {.doing = "--max-vram " + limit,
                                     .got = "a transformer that needs " + in_gib(needed),
                                     .expected = "at most " + limit + " GiB",
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
                          const ClipShape& clip, Placement placement, uint64_t between) {
  const LatentShape latents = wan_geometry(transformer, vae).latents(clip);
  const auto size = static_cast<int64_t>(at::elementSize(placement.dtype));
  const int64_t image_rows = transformer.image_dim ? kImageRows : 0;
  const int64_t context = kPrompts * transformer.num_layers * 2 * (kPromptRows + image_rows);
  const int64_t sampler = kLatentTensors * std::max(transformer.in_channels, transformer.out_channels) *
                          transformer.patch_volume() * int64_t{sizeof(float)};
  const int64_t embedded = transformer.dim() * int64_t{sizeof(float)};
  const int64_t at_work = latents.tokens * (block_bytes(transformer, placement) + embedded);
  return static_cast<uint64_t>(context * transformer.dim() * size + latents.tokens * sampler) +
         std::max(static_cast<uint64_t>(at_work), between);
}

bool takes_control(const Checkpoint& checkpoint) {
  return checkpoint.conditions().of(Condition::kControl) != Use::kNone;
}

bool encodes_images(const Checkpoint& checkpoint, const CheckedRequest& request) {
  // Without a control VACE encodes grey.
  return takes_control(checkpoint) || !request.conditions.image.empty();
}

std::string_view vae_prefix(const Checkpoint& checkpoint, const CheckedRequest& request) {
  return encodes_images(checkpoint, request) ? "" : "decoder.";
}

std::optional<int64_t> tile_of(const CheckedRequest& request) {
  return request.machine.vae_tiling ? std::optional(VaeTiling{}.tile) : std::nullopt;
}

ClipShape sampled_shape(const CheckedRequest& request, const AutoencoderKLWanConfig& vae) {
  const auto references = static_cast<int64_t>(request.conditions.reference_images.size());
  return {request.size.num_frames + references * vae.scale_factor_temporal, request.size.height,
          request.size.width};
}

uint64_t sampling_bytes(const Checkpoint& checkpoint, const std::string& component,
                        const CheckedRequest& request, Placement placement) {
  const Component& expert = checkpoint.get(component);
  const auto transformer = WanTransformer3DConfig::from_config(expert.config);
  const auto vae = AutoencoderKLWanConfig::from_config(checkpoint.get("vae").config);
  const ClipShape clip = sampled_shape(request, vae);
  const int64_t tokens = wan_geometry(transformer, vae).latents(clip).tokens;
  const int64_t more = (takes_control(checkpoint)
                            ? control_bytes(WanVACETransformer3DConfig::from_config(expert.config), tokens,
                                            static_cast<int64_t>(at::elementSize(placement.dtype)))
                            : 0) +
                       cache_bytes(request, transformer, tokens) + fp8_bytes(expert, request, placement);
  return activation_bytes(transformer, vae, clip, placement,
                          preview_bytes(request, vae, placement.device.is_cpu())) +
         static_cast<uint64_t>(more);
}

BlockMemory BlockMemory::of(const Component& component, const LoadOptions& options, std::string_view prefix) {
  std::map<std::string, uint64_t> block_bytes;
  for (const auto& [name, source] : component.tensors) {
    if (!name.starts_with(prefix)) continue;
    block_bytes[name.substr(0, name.find('.', prefix.size()))] += loaded_bytes(name, source.stored, options);
  }
  BlockMemory memory;
  for (const auto& [name, bytes] : block_bytes) {
    memory.all += bytes;
    memory.largest = std::max(memory.largest, bytes);
  }
  memory.count = static_cast<int64_t>(block_bytes.size());
  return memory;
}

uint64_t BlockMemory::waiting(int64_t resident) const {
  return static_cast<uint64_t>(std::max<int64_t>(count - resident, 0)) * largest;
}

uint64_t BlockMemory::on_device(int64_t resident) const {
  const int64_t others = std::max<int64_t>(count - resident, 0);
  return all - std::min(all, waiting(resident)) +
         static_cast<uint64_t>(std::min(others, kAhead + 1)) * largest;
}

TransformerMemory TransformerMemory::of(const Component& transformer, const LoadOptions& options,
                                        uint64_t beside) {
  TransformerMemory memory{.blocks = BlockMemory::of(transformer, options, "blocks."),
                           .control_blocks = BlockMemory::of(transformer, options, "vace_blocks.")};
  memory.others = loaded_bytes(transformer, options) - memory.blocks.all - memory.control_blocks.all + beside;
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
  const int64_t count = std::max(memory.blocks.count, memory.control_blocks.count);
  if (memory.on_device(count) <= limit) return {};
  if (offload == "none") too_little(*max_vram, memory.on_device(count), "leave out --offload none");
  for (int64_t resident = count - 1; resident >= 0; --resident) {
    if (memory.on_device(resident) <= limit)
      return {.resident = resident, .ahead = kAhead, .waiting = waiting};
  }
  too_little(*max_vram, memory.on_device(0), "ask for fewer frames or a smaller picture");
}

}  // namespace t2v
