#include "batch_estimate.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/screen/format.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

/// Whether only the first clip of a model has this phase.
bool is_once(const PlannedPhase& phase) { return phase.name == "start" || phase.name == "load"; }

/// Seconds that one more clip takes; `work` is its sampling relative to the planned clip. Empty: not
/// measured.
std::optional<double> seconds_of(const Plan& plan, double work, bool first) {
  double seconds = 0;
  for (const PlannedPhase& phase : plan.phases) {
    if (is_once(phase) && !first) continue;
    if (!phase.seconds) return std::nullopt;
    seconds += *phase.seconds * (phase.name == "sampling" ? work : 1);
  }
  return seconds;
}

}  // namespace

const BatchEstimate::Planned& BatchEstimate::planned(const BatchJob& job,
                                                     const std::function<CheckedRequest()>& request) {
  const bool reads = inputs_.insert(job.inputs).second;
  auto found = plans_.find(job.kind);
  if (found != plans_.end() && !reads) return found->second;
  CheckedRequest checked = request();
  checked.outputs.overwrite = true;  // another process may have made the clip meanwhile
  if (found == plans_.end()) {
    found = plans_.emplace(job.kind, Planned{plan_run(checked), job.work}).first;
  } else {
    check_inputs(checked);
  }
  return found->second;
}

void BatchEstimate::add(const BatchJob& job, const std::function<CheckedRequest()>& request) {
  const auto& [planned, work] = this->planned(job, request);
  ++clips_;
  output_ += planned.disk.output;
  latents_ = std::max(latents_, planned.disk.latents);
  disk_free_ = planned.disk.free;
  for (const PlannedPhase& phase : planned.phases) {
    host_peak_ = std::max(host_peak_, phase.host_bytes);
    gpu_peak_ = std::max(gpu_peak_, phase.gpu_bytes);
  }
  const bool first = models_.insert(job.model).second;
  const std::optional<double> seconds = seconds_of(planned, job.work / work, first);
  seconds_ = seconds_ && seconds ? std::optional(*seconds_ + *seconds) : std::nullopt;
}

std::string BatchEstimate::text() const {
  if (clips_ == 0) return "nothing to do";
  std::string text = count_of_clips(static_cast<size_t>(clips_)) + " to do; ";
  text += seconds_ ? "about " + format_seconds(*seconds_)
                   : "unknown time: not measured on this device (see t2v bench)";
  text += "; at most " + format_bytes(host_peak_) + " of memory";
  if (gpu_peak_ > 0) text += " and " + format_bytes(gpu_peak_) + " of the GPU's";
  text += "; about " + format_bytes(output_) + " on the disk";
  if (disk_free_ > 0) text += ", where " + format_bytes(disk_free_) + " are free";
  return text;
}

Json BatchEstimate::json() const {
  return {{"clips_to_do", clips_},
          {"seconds", seconds_ ? Json(*seconds_) : Json(nullptr)},
          {"host_peak_bytes", host_peak_},
          {"gpu_peak_bytes", gpu_peak_},
          {"output_bytes", output_},
          {"latents_bytes", latents_},
          {"disk_free_bytes", clips_ > 0 ? Json(disk_free_) : Json(nullptr)}};
}

}  // namespace t2v
