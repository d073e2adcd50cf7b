#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/flags/generate_flags.h"
#include "cli/screen/in_flags.h"
#include "cli/screen/progress.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "core/text.h"
#include "t2v/doctor.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;
using State = Finding::State;

constexpr const char* kDescription = R"(t2v doctor: checks whether t2v works on this machine.

Examples
  t2v doctor
  t2v doctor --device cpu
  t2v doctor --json

Usage
  t2v doctor [flags]

)";

constexpr const char* kNotes = R"(
Checks the installation, memory, the cache, downloaded models, LibTorch and
FFmpeg, the device and the encoders, and renders a tiny clip on the device, in a
temporary folder. Each line begins with ok, warning or failed.

The exit code is 0 if nothing failed, otherwise that of the first failure.

Standard output with --json: {"ok": BOOL, "findings": [{"state": "ok",
"warning" or "failed", "name", "detail", "advice"}]}
)";

const char* word_for(State state) {
  return state == State::kOk ? "ok" : state == State::kWarning ? "warning" : "failed";
}

std::string describe(const Finding& finding) {
  std::string line = word_for(finding.state);
  line.resize(9, ' ');
  line += finding.name + ": " + escape_for_display(in_flags(finding.detail)) + '\n';
  if (!finding.advice.empty())
    line += std::string(9, ' ') + "-> " + escape_for_display(in_flags(finding.advice)) + '\n';
  return line;
}

int run(const Invocation& invocation, const GenerateArguments& arguments, Progress& progress) {
  Json findings = Json::array();
  std::optional<ErrorCode> failure;
  const auto report = [&](const Finding& finding) {
    if (finding.state == State::kFailed && !failure) failure = finding.code;
    if (!invocation.json) print(describe(finding));
    findings.push_back({{"state", word_for(finding.state)},
                        {"name", finding.name},
                        {"detail", in_flags(finding.detail)},
                        {"advice", in_flags(finding.advice)}});
  };
  examine(arguments.request.machine.device, !arguments.dry_run, report, make_run_control(progress));
  if (invocation.json) print_json({{"ok", !failure}, {"findings", findings}});
  return failure ? static_cast<int>(*failure) : 0;
}

}  // namespace

Command doctor_command() {
  const auto arguments = std::make_shared<GenerateArguments>();
  FlagGroup checks{"What to check", {}};
  checks.flags.push_back(*find_flag(generate_flags(*arguments), "--device"));
  checks.flags.push_back(switch_flag({"--dry-run"}, "Do not render the tiny clip", arguments->dry_run, true));
  return {.name = "doctor",
          .summary = "Checks whether t2v works on this machine",
          .description = kDescription,
          .notes = kNotes,
          .flags = {checks},
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
