#include "engine/planning/memory_limit.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <sstream>

#include "core/log.h"
#include "core/machine.h"
#include "core/setting.h"

namespace t2v {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;
/// A clip is refused if its plan exceeds the memory by this factor, because plans may be wrong.
constexpr double kPlanMargin = 1.25;

/// The settings to try, the cheapest first: no change, tiles, which change pixels a little, and numbers of
/// half the size.
struct Setting {
  bool tiling, bfloat16;
};
constexpr Setting kSettings[] = {{false, false}, {true, false}, {false, true}, {true, true}};

using NeededSettings = decltype(Plan::needed_settings);

/// " `vae_tiling` true `dtype` bfloat16"
std::string listed(const NeededSettings& settings) {
  std::string text;
  for (const auto& [name, value] : settings) text += ' ' + setting(name, value);
  return text;
}

int64_t most_of_gpu(const Plan& plan) {
  int64_t most = 0;
  for (const PlannedPhase& phase : plan.phases) most = std::max(most, phase.gpu_bytes);
  return most;
}

std::string shown(double gib) {
  std::ostringstream text;
  text << gib;
  return text.str();
}

/// The plan of the cheapest setting that fits `max_vram`. Error (kResource) if none does.
Plan plan_within(double max_vram, const Checkpoint& checkpoint, const CheckedRequest& request,
                 const PlannedMachine& machine) {
  std::optional<Error> reason;
  for (const auto& [tiling, bfloat16] : kSettings) {
    if ((tiling && request.machine.vae_tiling) || (bfloat16 && request.machine.dtype == "bfloat16")) continue;
    CheckedRequest changed = request;
    NeededSettings needed_settings;
    changed.machine.max_vram = max_vram;
    if (tiling) {
      changed.machine.vae_tiling = true;
      needed_settings.emplace_back("vae_tiling", "true");
    }
    if (bfloat16) {
      changed.machine.dtype = "bfloat16";
      needed_settings.emplace_back("dtype", "bfloat16");
    }
    try {
      Plan plan = plan_as_asked(checkpoint, changed, machine);
      const int64_t needed = most_of_gpu(plan);
      if (static_cast<double>(needed) <= max_vram * kGiB) {
        plan.needed_settings = needed_settings;
        return plan;
      }
      reason.emplace(
          ErrorCode::kResource,
          Error::Parts{.doing = setting("max_vram", shown(max_vram)),
                       .got = "a clip that needs " + in_gib(static_cast<uint64_t>(needed)) +
                              (needed_settings.empty() ? "" : " even with" + listed(needed_settings)),
                       .expected = "at most " + shown(max_vram) + " GiB",
                       .advice = "ask for fewer frames or a smaller picture"});
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kResource) throw;
      reason = error;
    }
  }
  throw *reason;
}

/// The plan for a GPU that is clearly too small for the clip: with the cheapest setting that fits, or `asked`
/// if no setting fits.
Plan plan_for_small_gpu(const Plan& asked, const Checkpoint& checkpoint, const CheckedRequest& request,
                        const PlannedMachine& machine) {
  const double limit = std::floor(static_cast<double>(machine.gpu_total) / kGiB * 10) / 10;
  try {
    Plan plan = plan_within(limit, checkpoint, request, machine);
    plan.needed_settings.emplace(plan.needed_settings.begin(), "max_vram", shown(limit));
    return plan;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kResource) throw;
    return asked;
  }
}

}  // namespace

Plan plan_clip(const Checkpoint& checkpoint, const CheckedRequest& request, const PlannedMachine& machine) {
  const bool on_cpu = machine.device.is_cpu();
  if (on_cpu && request.machine.max_vram)
    log_warning("`max_vram` does not count: nothing is computed on a GPU");
  if (!on_cpu && request.machine.max_vram)
    return plan_within(*request.machine.max_vram, checkpoint, request, machine);
  Plan plan = plan_as_asked(checkpoint, request, machine);
  const bool too_small = machine.gpu_total > 0 && static_cast<double>(most_of_gpu(plan)) >
                                                      kPlanMargin * static_cast<double>(machine.gpu_total);
  return too_small ? plan_for_small_gpu(plan, checkpoint, request, machine) : plan;
}

void expect_memory(const Plan& plan) {
  if (!plan.needed_settings.empty()) {
    throw Error(ErrorCode::kResource,
                {.doing = plan.device_name.empty() ? plan.device : plan.device_name,
                 .got = "a clip that needs more with its settings",
                 .expected = "at most " + shown(*plan.machine.max_vram) + " GiB of its memory",
                 .advice = "add" + listed(plan.needed_settings) + "; t2v plan shows more"});
  }
  for (const PlannedPhase& phase : plan.phases) {
    const auto expect = [&](const std::string& where, int64_t needed, int64_t available) {
      if (available <= 0 || static_cast<double>(needed) <= kPlanMargin * static_cast<double>(available))
        return;
      throw Error(
          ErrorCode::kResource,
          {.doing = "planning " + phase.name,
           .got = "a clip that needs about " + in_gib(static_cast<uint64_t>(needed)) + " of " + where,
           .expected = "at most the " + in_gib(static_cast<uint64_t>(available)) + " that are available",
           .advice = "ask for fewer frames or a smaller picture; t2v plan shows more"});
    };
    expect("memory", phase.host_bytes - phase.mapped_bytes, plan.available.host);
    expect("the GPU's memory", phase.gpu_bytes, plan.available.gpu);
  }
}

}  // namespace t2v
