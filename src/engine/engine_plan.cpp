#include "engine/clips/clip_output.h"
#include "engine/clips/kept_latents.h"
#include "engine/clips/read_visual_inputs.h"
#include "engine/engine_errors.h"
#include "engine/interface/engine.h"
#include "engine/interface/sources.h"
#include "engine/pipelines/prompt_tokens.h"
#include "engine/pipelines/video_pipeline.h"
#include "engine/planning/fit_plan.h"
#include "engine/request_threads.h"

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

Plan plan_anything(const GenerateRequest& request) {
  Plan plan = plan_clip(Checkpoint::open(sources_of(request)), request, planned_machine(request.device));
  try {
    expect_memory(plan);
  } catch (const Error& error) {
    plan.refusal = error.what();
  }
  return plan;
}

/// Refuses what rendering would, in its order.
Plan plan_rendering(const GenerateRequest& request) {
  const Checkpoint checkpoint = Checkpoint::open(sources_of(request));
  const Plan plan = plan_clip(checkpoint, request, this_machine(parse_device(request.device)));
  expect_memory(plan);
  expect_room(request, plan.latents_bytes);
  expect_encoder(request);
  read_visual_inputs(request, checkpoint);
  prompt_tokens(checkpoint, prompts_of(request));
  return plan;
}

Plan plan_task(const DecodeTask& task) {
  const Plan plan = plan_decoding(Checkpoint::open(sources_of(task.request)), task.request,
                                  this_machine(parse_device(task.request.device)));
  expect_memory(plan);
  expect_encoder(task.request);
  read_latents(task.latents);
  return plan;
}

}  // namespace

extern "C" void t2v_engine_plan(const GenerateRequest& request, Plan& plan) {
  const RequestThreads threads(request);
  plan = with_errors_of("planning", [&] { return plan_anything(request); });
}

extern "C" void t2v_engine_plan_run(const GenerateRequest& request, Plan& plan) {
  const RequestThreads threads(request);
  plan = with_errors_of("planning", [&] { return plan_rendering(request); });
}

extern "C" void t2v_engine_check_inputs(const GenerateRequest& request) {
  with_errors_of("planning",
                 [&] { return read_visual_inputs(request, Checkpoint::open(sources_of(request))); });
}

extern "C" void t2v_engine_plan_decode(const DecodeTask& task, Plan& plan) {
  const RequestThreads threads(task.request);
  plan = with_errors_of("planning", [&] { return plan_task(task); });
}

}  // namespace t2v
