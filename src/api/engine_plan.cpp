#include <ATen/Parallel.h>

#include "api/engine.h"
#include "api/sources.h"
#include "pipelines/clip_plan.h"

namespace t2v {
namespace {

/// What is planned for: a GPU need not be there.
PlannedMachine planned_machine(const std::string& device) {
  try {
    return this_machine(parse_device(device));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kResource) throw;
  }
  PlannedMachine machine = this_machine(at::kCPU);
  machine.device = at::Device(at::kCUDA, 0);
  machine.device_name = "";
  return machine;
}

}  // namespace

extern "C" void t2v_engine_plan(const GenerateRequest& request, Plan& plan) {
  if (request.threads > 0) at::set_num_threads(static_cast<int>(request.threads));
  plan = plan_clip(Checkpoint::open(sources_of(request)), request, planned_machine(request.device));
}

}  // namespace t2v
