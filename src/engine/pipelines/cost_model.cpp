#include "engine/pipelines/cost_model.h"

namespace t2v {

uint64_t bytes_beside(const CostModel& costs, const Checkpoint& checkpoint, const std::string& transformer,
                      Placement placement) {
  const std::string vae = costs.decoding().component;
  const ComponentUse use = costs.use(vae);
  return loaded_bytes(checkpoint.get(vae), use.options, use.prefix) +
         (placement.device.is_cpu() ? 0 : kCudaRuntime) +
         static_cast<uint64_t>(costs.sampling(transformer).bytes);
}

}  // namespace t2v
