#include "t2v/plan.h"

#include "api/engine.h"
#include "api/engine_library.h"
#include "media/output_format.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

Plan plan(const GenerateRequest& request) {
  const GenerateRequest checked = check(request);
  const auto engine_plan = reinterpret_cast<decltype(&t2v_engine_plan)>(engine_entry(kEnginePlan));
  Plan plan;
  engine_plan(checked, plan);
  plan.outputs = outputs_of(checked);
  plan.disk_free = free_beside(checked.output);
  return plan;
}

}  // namespace t2v
