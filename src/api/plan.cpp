#include "t2v/plan.h"

#include <set>

#include "api/checks.h"
#include "api/engine_library.h"
#include "media/formats/output_format.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDoing = "planning";

std::vector<fs::path> outputs_of(const fs::path& output, int64_t num_frames) {
  if (is_stream(output) || output_container(output) != Container::kPngSequence) return {output};
  const SequenceNames names(output, num_frames);
  return {names.frame(1), names.frame(num_frames)};
}

int64_t free_beside(const fs::path& output) {
  std::error_code error;
  const fs::space_info space = fs::space(output.has_parent_path() ? output.parent_path() : ".", error);
  return error ? 0 : static_cast<int64_t>(space.available);
}

/// The plan with the files and the free space of its output, which the engine does not know.
Plan with_outputs(Plan plan, const fs::path& output) {
  if (output.empty()) {
    plan.disk = {};
    return plan;
  }
  plan.outputs = outputs_of(output, plan.size.num_frames);
  plan.disk.free = free_beside(output);
  return plan;
}

Plan plan_checked(const CheckedRequest& request) {
  return with_outputs(engine(kDoing).planning.run(request), request.outputs.output);
}

}  // namespace

Plan plan(const GenerateRequest& request) {
  const CheckedRequest checked = check(request);
  return with_outputs(engine(kDoing).planning.clip(checked), checked.outputs.output);
}

Plan plan_run(const GenerateRequest& request) { return plan_checked(check(request)); }

Plan plan_run(const CheckedRequest& request) {
  std::set<fs::path> writable_folders;
  check_outputs(request.outputs, request.encoding, request.size, writable_folders);
  return plan_checked(request);
}

void check_inputs(const CheckedRequest& request) { engine(kDoing).planning.check_inputs(request); }

Plan plan_decode(const fs::path& latents, const DecodeRequest& request) {
  const DecodeTask task = check_decode(latents, request);
  Plan plan = engine(kDoing).planning.decode(task);
  plan.files.push_back({"latents", latents, static_cast<int64_t>(fs::file_size(latents))});
  return with_outputs(std::move(plan), task.outputs.output);
}

}  // namespace t2v
