#include "engine/bench/bench_outlook.h"

#include <algorithm>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/machine.h"
#include "core/user_cache.h"
#include "engine/planning/fit_plan.h"
#include "engine/planning/memory_plan.h"
#include "engine/planning/vae_memory.h"
#include "networks/transformers/transformer_wan.h"
#include "tensors/device.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Kind = BenchKind;

/// Of what is there a case may take so much.
constexpr double kShareOfMemory = 0.9;
/// A CPU runs all blocks of models of fewer bytes.
constexpr double kSmallModel = 1e9;
/// A model that is loaded takes so many bytes on the disk at most: blocks are left out.
constexpr uint64_t kMostOnDisk = 4'000'000'000;

double element_of(const BenchSetting& setting) {
  return static_cast<double>(at::elementSize(setting.placement.dtype));
}

/// Of a folder that need not be there what is.
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
                                      .expected = "at most the " + in_gib(there) + " that are there",
                                      .advice = advice})
      .what();
}

/// Which blocks a forward pass has: one where that is the case, on a CPU, or where not all fit.
void look_at_transformer(const BenchSpec& spec, const BenchSetting& setting, BenchOutlook& outlook) {
  const WanTransformer3DConfig config = bench_transformer(spec.model);
  const at::Device device = setting.placement.device;
  const auto dim = static_cast<double>(config.dim()), layers = static_cast<double>(config.num_layers);
  const double block = element_of(setting) * dim * (8 * dim + 2 * static_cast<double>(config.ffn_dim));
  const double others = element_of(setting) * dim * dim * 8 +
                        static_cast<double>(activation_bytes(config, bench_vae(vae_of(spec.model)), spec.clip,
                                                             setting.placement));
  const bool fits = others + layers * block < kShareOfMemory * static_cast<double>(available_memory(device));
  const bool small = layers * block < kSmallModel;
  const bool one = spec.kind == Kind::kBlock || !fits || (device.is_cpu() && !small);
  outlook.memory = others + (one ? 1 : layers) * block;
  if (!one) return;
  outlook.blocks = 1;
  if (spec.kind == Kind::kTransformer) outlook.note = in_blocks(1, config.num_layers);
}

/// How many of its blocks a synthetic model that is loaded has on the disk.
void look_at_load(const BenchSpec& spec, const BenchSetting& setting, BenchOutlook& outlook) {
  const bool synthetic = !spec.model.empty();
  if (!synthetic) {
    const LoadOptions options{.placement = setting.placement,
                              .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()};
    outlook.memory = static_cast<double>(loaded_bytes(setting.named.checkpoint.get("transformer"), options));
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
    outlook.blocks = most;
    outlook.note = in_blocks(most, all);
  }
  outlook.disk = bytes_of(std::min(most, all));
  outlook.memory = static_cast<double>(outlook.disk) * element_of(setting) / 2;
  const uint64_t room = bench_room();
  if (outlook.disk + outlook.disk / 10 <= room) return;
  outlook.refusal = refusal(spec.name, "a file", static_cast<double>(outlook.disk), room,
                            bench_folder().empty() ? "set TMPDIR or HOME to a folder"
                                                   : "free some room in " + bench_folder().string());
}

void look_at_clip(const BenchSpec& spec, const BenchSetting& setting, BenchOutlook& outlook) {
  const BenchClip clip = bench_clip(spec, setting, SyntheticValues::kNone);
  try {
    const Plan plan = plan_as_asked(clip.checkpoint, clip.request, this_machine(setting.placement.device));
    outlook.tokens = plan.latents.tokens;
    const bool on_cpu = setting.placement.device.is_cpu();
    for (const PlannedPhase& phase : plan.phases) {
      const int64_t bytes = on_cpu ? phase.host_bytes - phase.mapped_bytes : phase.gpu_bytes;
      outlook.memory = std::max(outlook.memory, static_cast<double>(bytes));
    }
    for (const auto& [name, component] : clip.checkpoint.components) {
      const bool lives_in_memory = on_cpu && !spec.model.empty();
      for (const auto& file : component.files)
        outlook.memory += lives_in_memory ? static_cast<double>(file->content().size()) : 0;
    }
    expect_memory(plan);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kResource) throw;
    outlook.refusal = "the case " + spec.name + ": " + error.what();
  }
}

}  // namespace

WanTransformer3DConfig bench_transformer(const std::string& model) {
  return WanTransformer3DConfig::from_config(Config(bench_config(model), "transformer"));
}

AutoencoderKLWanConfig bench_vae(const std::string& model) {
  return AutoencoderKLWanConfig::from_config(Config(bench_config(model), "vae"));
}

LatentShape bench_latents(const BenchSpec& spec) {
  return wan_geometry(bench_transformer(spec.model), bench_vae(vae_of(spec.model))).latents(spec.clip);
}

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

BenchOutlook look_at(const BenchSpec& spec, const BenchSetting& setting) {
  BenchOutlook outlook;
  const bool attends = spec.kind == Kind::kGemm || spec.kind == Kind::kAttention ||
                       spec.kind == Kind::kBlock || spec.kind == Kind::kTransformer;
  if (attends) outlook.tokens = bench_latents(spec).tokens;
  const auto tokens = static_cast<double>(outlook.tokens);
  if (spec.kind == Kind::kGemm) {
    const WanTransformer3DConfig config = bench_transformer(spec.model);
    const auto dim = static_cast<double>(config.dim()), ffn_dim = static_cast<double>(config.ffn_dim);
    outlook.memory = element_of(setting) * (tokens * (dim + ffn_dim) + dim * ffn_dim);
  } else if (spec.kind == Kind::kAttention) {
    outlook.memory =
        element_of(setting) * 4 * tokens * static_cast<double>(bench_transformer(spec.model).dim());
  } else if (spec.kind == Kind::kBlock || spec.kind == Kind::kTransformer) {
    look_at_transformer(spec, setting, outlook);
  } else if (spec.kind == Kind::kVae) {
    const auto cost = setting.placement.device.is_cpu() ? host_allocation() : gpu_allocation();
    outlook.memory = decode_bytes(bench_vae(spec.model), spec.clip, cost) +
                     2.0 * static_cast<double>(synthetic_bytes("vae", bench_config(spec.model)));
  } else if (spec.kind == Kind::kTextEncoder) {
    json config = bench_config(spec.model);
    outlook.tokens = spec.clip.num_frames;
    outlook.blocks = 1;  // blocks come and go one by one: of all that are alike one is enough
    outlook.note = in_blocks(1, config["num_layers"]);
    config["num_layers"] = 1;
    outlook.memory = static_cast<double>(synthetic_bytes("text_encoder", config)) * element_of(setting) / 2;
  } else if (spec.kind == Kind::kLoad) {
    look_at_load(spec, setting, outlook);
  } else {
    look_at_clip(spec, setting, outlook);
  }
  const uint64_t available = available_memory(setting.placement.device);
  const bool told = spec.kind == Kind::kClip || !outlook.refusal.empty();  // of a clip more is known
  if (!told && available != 0 && outlook.memory > static_cast<double>(available))
    outlook.refusal =
        refusal(spec.name, "work", outlook.memory, available, "leave it out, or try --dtype bfloat16");
  return outlook;
}

}  // namespace t2v
