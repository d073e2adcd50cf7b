#pragma once

#include <cstdint>
#include <vector>

#include "engine/interface/decode_task.h"
#include "engine/pipelines/cost_model.h"
#include "engine/planning/calibration.h"
#include "files/checkpoints/checkpoint.h"
#include "t2v/plan.h"
#include "tensors/tensor.h"

namespace t2v {

/// The machine of a plan.
struct PlannedMachine {
  at::Device device = at::kCPU;
  std::string device_name;      ///< "" for an absent GPU
  uint64_t gpu_total = 0;       ///< bytes; 0 if unknown
  uint64_t host_available = 0;  ///< bytes; 0 if unknown
  uint64_t host_taken = 0;      ///< bytes of this process before models and work, LibTorch included
};
/// The present state of this machine.
PlannedMachine this_machine(at::Device device);

/// The plan of a clip exactly as requested, even if it does not fit; without outputs. Error (kResource) if
/// not even one block after the other fits max_vram.
Plan plan_as_asked(const Checkpoint& checkpoint, const CheckedRequest& request,
                   const PlannedMachine& machine);

/// The plan of decoding latents. `checkpoint` needs the VAE alone.
Plan plan_decoding(const Checkpoint& checkpoint, const DecodeTask& task, const PlannedMachine& machine);

/// The work of each phase of a plan.
std::vector<PhaseWork> work_of(const Family& family, const CostModel& costs, const Plan& plan);

}  // namespace t2v
