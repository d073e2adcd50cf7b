#include "engine/pipelines/component_loader.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/log.h"
#include "engine/interface/sources.h"
#include "tensors/device.h"

namespace t2v {
namespace {

constexpr const char* kFp8 = "fp8";

}  // namespace

Weights ComponentLoader::open(const std::string& component, LoadOptions options) const {
  progress_.stop_if_asked();
  progress_.report(Event::Kind::kLoad, 0, 0, component);
  const std::string dtype = dtype_name(options.placement.dtype);
  Weights weights = Weights::open(job_.checkpoint.get(component), std::move(options));
  for (const std::filesystem::path& file : weights.files())
    log_verbose("reading " + file.string() + " as " + dtype);
  return weights;
}

std::string ComponentLoader::cache_key(const std::string& component, const LoadOptions& options) const {
  const Component& loaded = job_.checkpoint.get(component);
  std::string key =
      loaded.config.json().dump() + dtype_name(options.placement.dtype) + options.placement.device.str();
  if (options.fp8_matrices) key.append(kFp8);
  for (const auto& file : loaded.files) key.append(";").append(file_identity(file->path()));
  for (const LoraMerge& merge : options.loras) {
    key.append(";").append(file_identity(merge.lora.file->path()));
    key.append("*").append(std::to_string(merge.strength));
  }
  return key;
}

std::future<void> ComponentLoader::prefetch(const std::string& component) const {
  if (models_.has(component)) return {};
  return std::async(std::launch::async, [&files = job_.checkpoint.get(component).files] {
    for (const auto& file : files) file->prefetch();
  });
}

LoadOptions ComponentLoader::float32_options() const {
  return {.placement = {at::kFloat, job_.placement.device}, .keep_in_fp32 = {}};
}

LoadOptions ComponentLoader::transformer_options(const std::string& component,
                                                 std::vector<std::string> keep_in_fp32) const {
  const ModelChoice& model = job_.request.model;
  const Family& family = *job_.checkpoint.family;
  const bool second = component != denoiser_of(family).name;
  return {.placement = job_.placement,
          .keep_in_fp32 = std::move(keep_in_fp32),
          .loras = open_loras(named_loras(second ? model.loras_2 : model.loras), family,
                              job_.checkpoint.get(component), second),
          .fp8_matrices = job_.request.machine.dtype == kFp8};
}

BlockResidency ComponentLoader::transformer_blocks(const std::string& component, const LoadOptions& options,
                                                   const std::vector<std::string>& prefixes,
                                                   const std::function<uint64_t()>& bytes_beside) const {
  const Machine& machine = job_.request.machine;
  BlockResidency blocks;
  if (job_.placement.device.is_cpu()) {
    // The files are mapped: a dropped block frees only the memory of converted numbers.
    if (machine.offload == "disk") blocks.resident = 0;
  } else {
    const auto memory = StreamedMemory::of(job_.checkpoint.get(component), options, prefixes, bytes_beside());
    blocks = plan_blocks(memory, machine.offload, machine.max_vram);
  }
  // A step of a large model takes minutes on a CPU, too long to wait before stopping.
  blocks.before_each = models_.stop_check();
  return blocks;
}

}  // namespace t2v
