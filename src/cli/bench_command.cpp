#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/bench/bench_results.h"
#include "cli/flags/usage_error.h"
#include "cli/screen/in_flags.h"
#include "cli/screen/progress.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

constexpr const char* kDescription = R"(t2v bench: measures how fast this machine is.

Examples
  t2v bench gemm vae.tiny
  t2v bench dit.tiny vae.tiny.64p17 --json > now.json
  t2v bench e2e.tiny --json --price-per-hour 2.50
  t2v bench --dry-run
  t2v bench --compare one.json other.json --fail-over 3%
  t2v bench --list

Usage
  t2v bench [CASE...] [flags]
  t2v bench --compare A.json B.json [--fail-over PERCENT]

)";

constexpr const char* kNotes = R"(
A CASE is the name of a case, or the beginning of several names. Without a CASE,
all cases for the device run; on a CPU, each of them ends within a minute on two
cores. Weights are random values with the shapes of the real models; load.model
and e2e.model use --model. Each case runs twice to warm up, and then at least
--repeats times. On a CPU, or if a model does not fit into memory, one block is
measured and the result is multiplied; the note says so. The results are stored
in ~/.cache/t2v/calibration.json, from which t2v plan computes times.

load reads a transformer from the disk into the memory where it is used, in the
number format that is used there. For synthetic models, at most 4 GB of blocks
are written to ~/.cache/t2v before and removed afterwards; the note says how
many. Before each run, the system is asked to drop the file from memory.

e2e makes a whole clip without writing it: it encodes the prompt, samples and
decodes the frames. For a synthetic model it takes 4 steps without guidance;
e2e.model uses the defaults of t2v generate. "phases" has the seconds of each
phase.

share is the speed of a case relative to the fastest large matrix product with
the same number format, which is measured just before and after it. It can be
above 1 if other programs use the machine, or if the case is faster than that
product; the note says so.

A case that does not fit into memory or on the disk is skipped and reported. If
it was asked for by its full name, the exit code is 8 after the other cases.
--dry-run reports all of this without measuring.

--compare prints the medians of B beside those of A. With --fail-over, the exit
code is 8 if a case of A takes that much longer in B, is missing there, or does
other work (fingerprint); it is 2 if the device or the number of threads
differs.

scripts/bench_page.py in the source code makes an HTML page of the JSON.

Standard output with --json: {"version" (1), "t2v", "libtorch", "driver",
"device", "device_name", "threads", "ceilings" ({dtype: TFLOP/s of a large
matrix product}), "price_per_hour", "results", "failed" and "skipped" (cases
that did not fit, asked for by name or not: [{"name", "reason"}])}. Each of
"results" is
  {"name", "fingerprint", "dtype", "note", "seconds" (of each run), "median",
   "p10", "p90", "tflop", "tflops" (TFLOP/s), "ceiling" (TFLOP/s) and "share"
   (of it; both null for load and e2e), "bytes" (loaded), "tokens",
   "peak_bytes", "attention" (its backend), "phases" ({phase: seconds} of e2e),
   "gpu_seconds", "joules" (of the GPU), "megahertz", "price" (of a run)}
With --dry-run:
  {"device", "device_name", "dtype", "threads", "repeats",
   "memory_available_bytes", "folder", "disk_free_bytes", "cases": [{"name",
   "description", "note", "tokens", "memory_bytes", "disk_bytes", "refusal"
   (why it would be skipped, or null)}]}
With --compare:
  {"device_a", "device_b", "fail_over", "passed", "cases": [{"name", "a", "b"
   (medians), "ratio", "verdict" ("fine", "slower", "missing", "new" or
   "other work")}]}
)";

constexpr Range<int64_t> kRepeats{1, 1000};
constexpr Range<double> kPrices{0, 1e6};
constexpr Range<double> kPercents{0, 1000};

struct Arguments {
  BenchRequest request;
  std::vector<std::string> words;
  bool list = false, compare = false, dry_run = false;
  std::optional<double> fail_over, price_per_hour;
};

int list_cases(bool json) {
  nlohmann::ordered_json cases = nlohmann::ordered_json::array();
  std::string text;
  for (const BenchCase& item : bench_cases()) {
    const std::string description = in_flags(item.description);
    cases.push_back({{"name", item.name}, {"description", description}, {"on_cpu", item.on_cpu}});
    text += item.name + std::string(item.name.size() < 20 ? 20 - item.name.size() : 1, ' ') +
            (item.on_cpu ? "CPU  " : "GPU  ") + description + '\n';
  }
  return json ? print_json(cases) : print(text);
}

int compare(const Arguments& arguments, bool json, Progress& progress) {
  if (arguments.words.size() != 2) {
    refuse("--compare", std::to_string(arguments.words.size()) + " files", "two that t2v bench --json wrote",
           "t2v bench --compare A.json B.json");
  }
  return compare_benches(arguments.words[0], arguments.words[1], arguments.fail_over, json, progress);
}

void report_failed(std::ptrdiff_t count, Progress& progress) {
  progress.fail(kExitNotPassed, std::to_string(count) + (count == 1 ? " case that was" : " cases that were") +
                                    " asked for did not fit");
}

int dry_run(const BenchRequest& request, bool json, Progress& progress) {
  const BenchPlan plan = plan_bench(request);
  json ? print_json(to_json(plan)) : print(describe(plan));
  const auto failed = std::count_if(plan.cases.begin(), plan.cases.end(), [](const PlannedCase& planned) {
    return planned.asked && !planned.refusal.empty();
  });
  if (failed == 0) return 0;
  report_failed(failed, progress);
  return kExitNotPassed;
}

/// Error (kUsage) for a flag that would have no effect beside the others.
void check_flags(const Arguments& arguments) {
  const auto expect = [](bool right, const char* flag, const char* expected) {
    if (!right) refuse(flag, "a flag that does nothing here", expected);
  };
  const bool price = arguments.price_per_hour.has_value();
  expect(arguments.compare || !arguments.fail_over, "--fail-over", "it with --compare A.json B.json");
  expect(!price || !arguments.compare, "--price-per-hour", "it without --compare");
  expect(!price || !arguments.dry_run, "--price-per-hour", "it without --dry-run");
  expect(!price || !arguments.list, "--price-per-hour", "it without --list");
  expect(!arguments.dry_run || !arguments.compare, "--dry-run", "it without --compare");
  expect(!arguments.list || !arguments.compare, "--list", "it without --compare");
  expect(!arguments.list || arguments.words.empty(), "--list", "it without names of cases");
}

int run(const Invocation& invocation, Arguments& arguments, Progress& progress) {
  check_flags(arguments);
  if (arguments.list) return list_cases(invocation.json);
  if (arguments.compare) return compare(arguments, invocation.json, progress);
  arguments.request.cases = arguments.words;
  if (arguments.dry_run) return dry_run(arguments.request, invocation.json, progress);
  const BenchReport report = bench(arguments.request, make_run_control(progress));
  const auto failed = std::count_if(report.failures.begin(), report.failures.end(),
                                    [](const BenchFailure& failure) { return failure.asked; });
  if (failed == 0) progress.summarize(true);
  invocation.json ? print_json(to_json(report, arguments.price_per_hour))
                  : print(describe(report, arguments.price_per_hour));
  if (failed == 0) return 0;
  report_failed(failed, progress);
  progress.summarize(false);
  return kExitNotPassed;
}

std::vector<FlagGroup> flags(Arguments& arguments) {
  BenchRequest& request = arguments.request;
  const auto set_percent = [&arguments](const FlagValue& value) {
    std::string text = value.text;
    if (text.ends_with('%')) text.pop_back();
    arguments.fail_over = parse_number({value.flag, text}, kPercents);
  };
  const auto set_device = [&request](const FlagValue& value) { request.device = parse_device(value); };
  return {
      {"Cases",
       {switch_flag({"--list"}, "List the cases instead", arguments.list, true),
        path_flag({"--model", "-m"}, "PATH", "The model of load.model and e2e.model", request.model,
                  "tiny-world"),
        defaulting(request.device,
                   value_flag({"--device"}, "WORD", "Where to compute", kDescribeDevice, set_device)),
        choice_flag({"--dtype"}, "Number format of transformers and text encoders", kDtypes, request.dtype,
                    "bfloat16 on a GPU, float32 on a CPU"),
        integer_flag({"--threads"}, "Processor threads", kThreadCounts, request.threads, "one per core"),
        integer_flag({"--repeats"}, "Least number of measured runs of each case", kRepeats, request.repeats,
                     "5"),
        switch_flag({"--dry-run"}, "Print what would run and what it needs; measure nothing",
                    arguments.dry_run, true)}},
      {"Results",
       {number_flag({"--price-per-hour"}, "Price of the machine, to show the price of each run", kPrices,
                    arguments.price_per_hour),
        switch_flag({"--compare"}, "Compare two files that --json wrote instead", arguments.compare, true),
        value_flag({"--fail-over"}, "PERCENT",
                   "Exit with code 8 if a case of B takes this much longer than in A", describe(kPercents),
                   set_percent)}}};
}

}  // namespace

Command bench_command() {
  const auto arguments = std::make_shared<Arguments>();
  const auto add = [arguments](const FlagValue& value) { arguments->words.push_back(value.text); };
  const Flag operand = value_flag({"CASE"}, "TEXT", "A case to measure, or a file to compare", "", add);
  return {.name = "bench",
          .summary = "Measures this machine, or compares two measurements",
          .description = kDescription,
          .notes = kNotes,
          .operands = {defaulting("all for the device", repeatable(operand))},
          .flags = flags(*arguments),
          .stopped = "the measurements are lost",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
