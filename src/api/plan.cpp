#include "t2v/plan.h"

#include "api/decode_task.h"
#include "api/engine_library.h"
#include "engine/interface/engine.h"
#include "media/output_format.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDoing = "planning";

std::vector<fs::path> outputs_of(const GenerateRequest& request) {
  if (is_stream(request.output) || output_container(request.output) != Container::kPngSequence)
    return {request.output};
  const SequenceNames names(request.output, *request.num_frames);
  return {names.frame(1), names.frame(*request.num_frames)};
}

int64_t free_beside(const fs::path& output) {
  std::error_code error;
  const fs::space_info space = fs::space(output.has_parent_path() ? output.parent_path() : ".", error);
  return error ? 0 : static_cast<int64_t>(space.available);
}

/// What the engine does not know.
Plan with_outputs(Plan plan, const GenerateRequest& checked) {
  plan.outputs = outputs_of(checked);
  plan.disk_free = free_beside(checked.output);
  return plan;
}

}  // namespace

Plan plan(const GenerateRequest& request) {
  const GenerateRequest checked = check(request);
  Plan plan;
  engine_entry<decltype(t2v_engine_plan)>(kEnginePlan, kDoing)(checked, plan);
  return with_outputs(std::move(plan), checked);
}

Plan plan_run(const GenerateRequest& request) {
  const GenerateRequest checked = check(request);
  Plan plan;
  engine_entry<decltype(t2v_engine_plan_run)>(kEnginePlanRun, kDoing)(checked, plan);
  return with_outputs(std::move(plan), checked);
}

void check_inputs(const GenerateRequest& checked) {
  engine_entry<decltype(t2v_engine_check_inputs)>(kEngineCheckInputs, kDoing)(checked);
}

Plan plan_decode(const fs::path& latents, const GenerateRequest& request) {
  const DecodeTask task = make_decode_task(latents, request);
  Plan plan;
  engine_entry<decltype(t2v_engine_plan_decode)>(kEnginePlanDecode, kDoing)(task, plan);
  plan.files.push_back({"latents", latents, static_cast<int64_t>(fs::file_size(latents))});
  return with_outputs(std::move(plan), task.request);
}

}  // namespace t2v
