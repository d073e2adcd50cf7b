#include "engine/clips/clip_output.h"
#include "engine/clips/kept_latents.h"
#include "engine/clips/read_visual_inputs.h"
#include "engine/engine_errors.h"
#include "engine/engine_functions.h"
#include "engine/interface/sources.h"
#include "engine/pipelines/prompt_encoder.h"
#include "engine/pipelines/prompt_tokens.h"
#include "engine/pipelines/registry.h"
#include "engine/planning/memory_limit.h"
#include "engine/request_threads.h"

namespace t2v {
namespace {

/// The machine of a plan. Its GPU may be absent.
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

Plan plan_anything(const CheckedRequest& request) {
  Plan plan = plan_clip(Checkpoint::open(sources_of(request.model)), request,
                        planned_machine(request.machine.device));
  try {
    expect_memory(plan);
  } catch (const Error& error) {
    plan.refusal = error.what();
  }
  return plan;
}

/// Throws the errors that rendering would throw, in the same order.
Plan plan_rendering(const CheckedRequest& request) {
  const Checkpoint checkpoint = Checkpoint::open(sources_of(request.model));
  const Plan plan = plan_clip(checkpoint, request, this_machine(parse_device(request.machine.device)));
  expect_memory(plan);
  expect_room(request.outputs, plan.disk.latents);
  expect_encoder(clip_file(request, ""));
  read_visual_inputs(request.conditions, request.size, checkpoint);
  for (const PartKind& part : checkpoint.family->parts()) {
    if (part.tokenizer.empty() || !checkpoint.has(part.name)) continue;
    prompt_tokens(checkpoint, part.name, prompts_of(request), pipelines_of(checkpoint).max_sequence_length);
  }
  return plan;
}

Plan plan_task(const DecodeTask& task) {
  const Plan plan = plan_decoding(Checkpoint::open(sources_of(task.model)), task,
                                  this_machine(parse_device(task.machine.device)));
  expect_memory(plan);
  expect_encoder(clip_file(task, ""));
  read_latents(task.latents);
  return plan;
}

}  // namespace

PlanFunctions plan_functions() {
  return {.clip =
              [](const CheckedRequest& request) {
                const RequestThreads threads(request.machine.threads);
                return with_errors_of("planning", [&] { return plan_anything(request); });
              },
          .run =
              [](const CheckedRequest& request) {
                const RequestThreads threads(request.machine.threads);
                return with_errors_of("planning", [&] { return plan_rendering(request); });
              },
          .decode =
              [](const DecodeTask& task) {
                const RequestThreads threads(task.machine.threads);
                return with_errors_of("planning", [&] { return plan_task(task); });
              },
          .check_inputs =
              [](const CheckedRequest& request) {
                with_errors_of("planning", [&] {
                  return read_visual_inputs(request.conditions, request.size,
                                            Checkpoint::open(sources_of(request.model)));
                });
              }};
}

}  // namespace t2v
