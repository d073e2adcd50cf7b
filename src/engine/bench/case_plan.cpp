#include "engine/bench/case_plan.h"

#include <algorithm>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/machine.h"
#include "core/user_cache.h"
#include "engine/planning/memory_limit.h"
#include "tensors/device.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Kind = BenchKind;

/// Share of the available memory that a case may take.
constexpr double kShareOfMemory = 0.9;
/// A CPU runs all blocks of a model below this size, in bytes.
constexpr double kSmallModel = 1e9;
/// The most bytes of a synthetic model file; it leaves out blocks that would not fit.
constexpr uint64_t kMostOnDisk = 4'000'000'000;

double element_of(const BenchSetting& setting) {
  return static_cast<double>(at::elementSize(setting.placement.dtype));
}

/// The deepest part of a path that exists.
fs::path existing_part(fs::path folder) {
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

std::string in_blocks(int64_t blocks, int64_t all) {
  return blocks == 1 ? "one block x " + std::to_string(all)
                     : std::to_string(blocks) + " of " + std::to_string(all) + " blocks";
}

std::string refusal(const std::string& name, const std::string& what, double bytes, uint64_t there,
                    const std::string& advice) {
  return Error(ErrorCode::kResource, {.doing = "the case " + name,
                                      .got = what + " that needs " + in_gib(static_cast<uint64_t>(bytes)),
                                      .expected = "at most the " + in_gib(there) + " that are free",
                                      .advice = advice})
      .what();
}

/// Bytes of the loaded weights of a network with `num_layers` layers.
double weight_bytes(const BenchSpec& spec, const BenchSetting& setting, int64_t num_layers) {
  const bool is_vae = spec.kind == Kind::kVae;  // it computes in float32
  json config = bench_config(spec.model);
  if (!is_vae) config["num_layers"] = num_layers;
  const auto stored = static_cast<double>(synthetic_bytes(bench_network(spec).component, config));
  return stored / 2 * (is_vae ? sizeof(float) : element_of(setting));
}

/// Decides whether one block or all blocks run. One block runs for a case of one block, for a text encoder,
/// whose blocks are loaded one by one, and for a transformer that is large on a CPU or does not fit.
void plan_network(const BenchSpec& spec, const BenchSetting& setting, CasePlan& planned) {
  const int64_t all = bench_network(spec).num_layers;
  const at::Device device = setting.placement.device;
  const double activations = network_cost(spec, 1, setting.placement).peak_bytes;
  const double one = weight_bytes(spec, setting, 1), whole = weight_bytes(spec, setting, all);
  const bool fits = activations + whole < kShareOfMemory * static_cast<double>(available_memory(device));
  const bool small = whole < kSmallModel;
  const bool runs_one = spec.kind == Kind::kBlock || spec.kind == Kind::kTextEncoder ||
                        (spec.kind == Kind::kTransformer && (!fits || (device.is_cpu() && !small)));
  planned.memory = activations + (runs_one ? one : whole);
  if (!runs_one) return;
  planned.blocks = 1;
  if (spec.kind != Kind::kBlock) planned.note = in_blocks(1, all);
}

/// Decides how many blocks the file of a synthetic model has, for a case that loads it.
void plan_load(const BenchSpec& spec, const BenchSetting& setting, CasePlan& planned) {
  const bool synthetic = !spec.model.empty();
  if (!synthetic) {
    const LoadOptions options{.placement = setting.placement, .keep_in_fp32 = transformer_keeps_in_fp32()};
    planned.memory = static_cast<double>(loaded_bytes(
        setting.named.checkpoint.get(denoiser_of(*setting.named.checkpoint.family).name), options));
    return;
  }
  json config = bench_config(spec.model);
  const int64_t all = config["num_layers"];
  const auto bytes_of = [&](int64_t blocks) {
    config["num_layers"] = blocks;
    return synthetic_bytes("transformer", config);
  };
  const uint64_t one = bytes_of(1), block = bytes_of(2) - one;
  const auto most = static_cast<int64_t>(1 + (kMostOnDisk - std::min(kMostOnDisk, one)) / block);
  if (most < all) {
    planned.blocks = most;
    planned.note = in_blocks(most, all);
  }
  planned.disk = bytes_of(std::min(most, all));
  planned.memory = static_cast<double>(planned.disk) * element_of(setting) / 2;
  const uint64_t room = bench_room();
  if (planned.disk + planned.disk / 10 <= room) return;
  planned.refusal = refusal(spec.name, "a file", static_cast<double>(planned.disk), room,
                            bench_folder().empty() ? "set TMPDIR or HOME to a folder"
                                                   : "free some room in " + bench_folder().string());
}

void plan_clip(const BenchSpec& spec, const BenchSetting& setting, CasePlan& planned) {
  const BenchClip clip = bench_clip(spec, setting, SyntheticValues::kNone);
  try {
    const Plan plan = plan_as_asked(clip.checkpoint, clip.request, this_machine(setting.placement.device));
    planned.tokens = plan.latents.tokens;
    const bool on_cpu = setting.placement.device.is_cpu();
    for (const PlannedPhase& phase : plan.phases) {
      const int64_t bytes = on_cpu ? phase.host_bytes - phase.mapped_bytes : phase.gpu_bytes;
      planned.memory = std::max(planned.memory, static_cast<double>(bytes));
    }
    for (const auto& [name, component] : clip.checkpoint.components) {
      const bool lives_in_memory = on_cpu && !spec.model.empty();
      for (const auto& file : component.files)
        planned.memory += lives_in_memory ? static_cast<double>(file->content().size()) : 0;
    }
    expect_memory(plan);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kResource) throw;
    planned.refusal = "the case " + spec.name + ": " + error.what();
  }
}

}  // namespace

fs::path bench_folder() {
  std::error_code ignored;
  const fs::path cache = user_cache_folder();
  const bool writable = !cache.empty() && ::access(existing_part(cache).c_str(), W_OK) == 0;
  return writable ? cache : fs::temp_directory_path(ignored);
}

uint64_t bench_room() {
  std::error_code error;
  const fs::space_info space = fs::space(existing_part(bench_folder()), error);
  return error ? 0 : space.available;
}

CasePlan plan_case(const BenchSpec& spec, const BenchSetting& setting) {
  CasePlan planned;
  const bool has_transformer = spec.kind == Kind::kGemm || spec.kind == Kind::kAttention ||
                               spec.kind == Kind::kBlock || spec.kind == Kind::kTransformer;
  if (has_transformer) planned.tokens = transformer_sizes(spec).latents.tokens;
  if (spec.kind == Kind::kTextEncoder) planned.tokens = spec.clip.num_frames;
  const auto tokens = static_cast<double>(planned.tokens);
  if (spec.kind == Kind::kGemm) {
    const TransformerSizes sizes = transformer_sizes(spec);
    const auto dim = static_cast<double>(sizes.dim), ffn_dim = static_cast<double>(sizes.ffn_dim);
    planned.memory = element_of(setting) * (tokens * (dim + ffn_dim) + dim * ffn_dim);
  } else if (spec.kind == Kind::kAttention) {
    planned.memory = element_of(setting) * 4 * tokens * static_cast<double>(transformer_sizes(spec).dim);
  } else if (spec.kind == Kind::kLoad) {
    plan_load(spec, setting, planned);
  } else if (spec.kind == Kind::kClip) {
    plan_clip(spec, setting, planned);
  } else {
    plan_network(spec, setting, planned);
  }
  const uint64_t available = available_memory(setting.placement.device);
  const bool decided = spec.kind == Kind::kClip || !planned.refusal.empty();  // plan_clip() decides better
  if (!decided && available != 0 && planned.memory > static_cast<double>(available))
    planned.refusal =
        refusal(spec.name, "work", planned.memory, available, "leave it out, or try `dtype` bfloat16");
  return planned;
}

}  // namespace t2v
