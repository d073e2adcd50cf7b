#include "print_plan.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "core/setting.h"
#include "core/text.h"
#include "format.h"
#include "in_flags.h"
#include "streams.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

std::string time_of(const std::optional<double>& seconds) { return seconds ? format_seconds(*seconds) : "-"; }

std::string in_flops(double tflop) {
  if (tflop == 0) return "-";
  return tflop < 1 ? formatted("%.3g GFLOP", tflop * 1000) : formatted("%.4g TFLOP", tflop);
}

std::optional<double> total_seconds(const Plan& plan) {
  double total = 0;
  for (const PlannedPhase& phase : plan.phases) {
    if (!phase.seconds) return std::nullopt;
    total += *phase.seconds;
  }
  return total;
}

int64_t most(const Plan& plan, int64_t PlannedPhase::*bytes) {
  int64_t largest = 0;
  for (const PlannedPhase& phase : plan.phases) largest = std::max(largest, phase.*bytes);
  return largest;
}

std::string describe_files(const Plan& plan) {
  std::string text;
  int64_t all = 0;
  for (const PlannedFile& file : plan.files) {
    text += formatted("  %-16s %10s  ", file.component.c_str(), format_bytes(file.bytes).c_str()) +
            escape_for_display(file.path.string()) + '\n';
    all += file.bytes;
  }
  return "files, " + format_bytes(all) + '\n' + text;
}

std::string describe_phases(const Plan& plan) {
  const bool gpu = most(plan, &PlannedPhase::gpu_bytes) > 0;
  std::string text = formatted("%-10s %14s %12s %12s %10s\n", "phase", "work", "host memory",
                               gpu ? "GPU memory" : "", "time");
  for (const PlannedPhase& phase : plan.phases) {
    text += formatted("%-10s %14s %12s %12s %10s\n", phase.name.c_str(), in_flops(phase.tflop).c_str(),
                      phase.host_bytes > 0 ? format_bytes(phase.host_bytes).c_str() : "-",
                      !gpu                  ? ""
                      : phase.gpu_bytes > 0 ? format_bytes(phase.gpu_bytes).c_str()
                                            : "-",
                      time_of(phase.seconds).c_str());
  }
  return text + formatted("%-10s %14s %12s %12s %10s\n", "in all", "",
                          format_bytes(most(plan, &PlannedPhase::host_bytes)).c_str(),
                          gpu ? format_bytes(most(plan, &PlannedPhase::gpu_bytes)).c_str() : "",
                          time_of(total_seconds(plan)).c_str());
}

/// "--vae-tiling --dtype bfloat16"
std::string needed_flags(const Plan& plan) {
  std::string text;
  for (const auto& [name, value] : plan.needed_settings) {
    if (!text.empty()) text += ' ';
    text += setting(name, value);
  }
  return in_flags(text);
}

std::string describe_device(const Plan& plan) {
  std::string text = "device    " + plan.device;
  text += plan.device_name.empty() ? ", which this machine does not have" : ", " + plan.device_name;
  if (plan.available.gpu > 0) text += ", " + format_bytes(plan.available.gpu);
  text += ", " + plan.machine.dtype + '\n';
  if (plan.available.host > 0)
    text += "memory    " + format_bytes(plan.available.host) + " can be allocated now\n";
  if (plan.blocks.count > 0) {
    text += "blocks    " + std::to_string(plan.blocks.resident) + " of " + std::to_string(plan.blocks.count) +
            " stay on the GPU" +
            (plan.blocks.waiting.empty() ? "" : "; the others wait with --offload " + plan.blocks.waiting) +
            '\n';
  }
  if (!plan.needed_settings.empty()) text += "to fit    add " + needed_flags(plan) + '\n';
  if (!plan.refusal.empty()) text += "refused   " + in_flags(plan.refusal) + '\n';
  return text;
}

std::string describe(const Plan& plan) {
  const CheckedSize& size = plan.size;
  std::string text =
      formatted("clip      %lldx%lld, %lld frames at %g fps\n", static_cast<long long>(size.width),
                static_cast<long long>(size.height), static_cast<long long>(size.num_frames), size.fps);
  text +=
      formatted("latents   %lld channels, %lld frames of %lldx%lld",
                static_cast<long long>(plan.latents.channels), static_cast<long long>(plan.latents.frames),
                static_cast<long long>(plan.latents.width), static_cast<long long>(plan.latents.height));
  text += (plan.latents.tokens > 0 ? "; " + std::to_string(plan.latents.tokens) + " tokens" : "") + '\n';
  if (plan.sampling) {
    text += "sampling  " + std::to_string(plan.sampling->num_inference_steps) + " steps of " +
            plan.sampling->sampler + ", " + std::to_string(plan.forwards) + " passes of the transformer\n";
  }
  text += describe_device(plan) + '\n' + describe_phases(plan) + '\n' + describe_files(plan) + '\n';
  text += "writes    " + escape_for_display(plan.outputs.front().string());
  if (plan.outputs.size() > 1) text += " to " + escape_for_display(plan.outputs.back().string());
  text += ", about " + format_bytes(plan.disk.output);
  if (plan.disk.latents > 0) text += ", and until then " + format_bytes(plan.disk.latents) + " of latents";
  if (plan.disk.free > 0) text += "; " + format_bytes(plan.disk.free) + " are free";
  text += '\n';
  std::string unknown;
  for (const PlannedPhase& phase : plan.phases) {
    if (!phase.seconds) unknown += (unknown.empty() ? "" : ", ") + phase.name;
  }
  if (!unknown.empty())
    text += "No time for " + unknown + ": not measured on this device; run t2v bench e2e.model\n";
  return text;
}

Json to_json(const PlannedPhase& phase) {
  return {{"name", phase.name},
          {"tflop", phase.tflop},
          {"host_bytes", phase.host_bytes},
          {"mapped_bytes", phase.mapped_bytes},
          {"gpu_bytes", phase.gpu_bytes},
          {"seconds", phase.seconds ? Json(*phase.seconds) : Json(nullptr)}};
}

Json to_json(const Plan& plan) {
  Json files = Json::array(), phases = Json::array(), outputs = Json::array();
  for (const PlannedFile& file : plan.files) {
    files.push_back({{"component", file.component}, {"path", file.path.string()}, {"bytes", file.bytes}});
  }
  for (const PlannedPhase& phase : plan.phases) phases.push_back(to_json(phase));
  for (const auto& output : plan.outputs) outputs.push_back(output.string());
  const auto seconds = total_seconds(plan);
  return {{"width", plan.size.width},
          {"height", plan.size.height},
          {"num_frames", plan.size.num_frames},
          {"num_inference_steps", plan.sampling ? Json(plan.sampling->num_inference_steps) : Json(nullptr)},
          {"dtype", plan.machine.dtype},
          {"device", plan.device},
          {"device_name", plan.device_name},
          {"latents", {plan.latents.channels, plan.latents.frames, plan.latents.height, plan.latents.width}},
          {"tokens", plan.latents.tokens},
          {"forwards", plan.forwards},
          {"phases", phases},
          {"host_peak_bytes", most(plan, &PlannedPhase::host_bytes)},
          {"host_available_bytes", plan.available.host},
          {"gpu_peak_bytes", most(plan, &PlannedPhase::gpu_bytes)},
          {"gpu_total_bytes", plan.available.gpu},
          {"blocks", plan.blocks.count},
          {"resident_blocks", plan.blocks.resident},
          {"waiting", plan.blocks.waiting},
          {"needed_flags", needed_flags(plan)},
          {"refusal", plan.refusal.empty() ? Json(nullptr) : Json(in_flags(plan.refusal))},
          {"calibrated", seconds.has_value()},
          {"seconds", seconds ? Json(*seconds) : Json(nullptr)},
          {"files", files},
          {"outputs", outputs},
          {"output_bytes", plan.disk.output},
          {"latents_bytes", plan.disk.latents},
          {"disk_free_bytes", plan.disk.free}};
}

}  // namespace

int print_plan(const Plan& plan, bool json) {
  return json ? print_json(to_json(plan)) : print(describe(plan));
}

}  // namespace t2v
