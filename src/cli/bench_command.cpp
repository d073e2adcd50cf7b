#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/bench/bench_compare.h"
#include "cli/bench/bench_results.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "run_command.h"
#include "t2v/error.h"
#include "t2v/limits.h"
#include "t2v/whole_file.h"

namespace t2v {
namespace {

constexpr const char* kDescription = R"(t2v bench: how fast this machine is.

Examples
  t2v bench gemm vae.tiny
  t2v bench dit.tiny vae.tiny.64p17 --json > now.json
  t2v bench e2e.tiny --report bench.html --price-per-hour 2.50
  t2v bench --dry-run
  t2v bench --compare one.json other.json --fail-over 3%
  t2v bench --list

Usage
  t2v bench [CASE...] [flags]
  t2v bench --compare A.json B.json [--fail-over PERCENT]

)";

constexpr const char* kNotes = R"(
A CASE is the name of one or the beginning of several. Of those for the device
run the ones that are meant, or all; on a CPU each ends within a minute on two
cores. Weights are synthetic, random values of the true shapes; load.model and
e2e.model take --model. Each case runs twice to warm up and then at least
--repeats times. On a CPU, or where the memory does not hold a model, one block
is timed and multiplied, and the note says so. What is measured is kept in
~/.cache/t2v/calibration.json: t2v plan tells times by it.

load reads a transformer from the disk into the memory where it computes, in
the numbers it computes in. A synthetic one is written before, at most 4 GB of
its blocks, to ~/.cache/t2v, and gone afterwards; the note says how many. The
system is asked to drop the file from memory before each run.

e2e makes a whole clip, but for writing it: the prompt is encoded, the steps are
sampled and the frames are decoded; e2e of a synthetic model has 4 steps without
guidance, e2e.model what t2v generate has by default. "phases" has the seconds
of each.

share is what a case reaches of the fastest large matrix product in the same
numbers, timed right before and after it. Where others use the machine, or the
case is faster than that product, it is above 1 and the note says so.

A case that does not fit into memory or on the disk is skipped and told. Where
it was asked for by its full name, the exit code is 8 after the others.
--dry-run tells all that before.

--compare prints medians of B against those of A. With --fail-over the exit code
is 8 if a case of A is more than that slower in B, not there, or of other work
(fingerprint), and 2 if the device or the threads are others.

Standard output with --json: {"version" (1), "t2v", "libtorch", "driver",
"device", "device_name", "threads", "ceilings" ({dtype: TFLOP/s of a large
matrix product}), "price_per_hour", "results", "failed" and "skipped"
([{"name", "reason"}]; asked for by name or not)}, each of "results"
  {"name", "fingerprint", "dtype", "note", "seconds" (of each run), "median",
   "p10", "p90", "tflop", "tflops" (TFLOP/s), "ceiling" (TFLOP/s) and "share"
   (of it; both null of load and e2e), "bytes" (loaded), "tokens",
   "peak_bytes", "attention" (its backend), "phases" ({phase: seconds} of e2e),
   "gpu_seconds", "joules" (of the GPU), "megahertz", "price" (of a run)}
with --dry-run
  {"device", "device_name", "dtype", "threads", "repeats",
   "memory_available_bytes", "folder", "disk_free_bytes", "cases": [{"name",
   "description", "note", "tokens", "memory_bytes", "disk_bytes", "refusal"
   (why it would be skipped, or null)}]}
and with --compare
  {"device_a", "device_b", "fail_over", "passed", "cases": [{"name", "a", "b"
   (medians), "ratio", "verdict" ("fine", "slower", "missing", "new" or
   "other work")}]}
)";

constexpr Range<int64_t> kRepeats{1, 1000};
constexpr Range<double> kPrices{0, 1e6};
constexpr Range<double> kPercents{0, 1000};
constexpr int kExitSomeFailed = 8;

struct Arguments {
  BenchRequest request;
  std::vector<std::string> words;
  bool list = false, compare = false, dry_run = false;
  std::optional<double> fail_over, price_per_hour;
  std::filesystem::path report;
  bool overwrite = false;
};

int list_cases(bool json) {
  nlohmann::ordered_json cases = nlohmann::ordered_json::array();
  std::string text;
  for (const BenchCase& item : bench_cases()) {
    cases.push_back({{"name", item.name}, {"description", item.description}, {"on_cpu", item.on_cpu}});
    text += item.name + std::string(item.name.size() < 20 ? 20 - item.name.size() : 1, ' ') +
            (item.on_cpu ? "CPU  " : "GPU  ") + item.description + '\n';
  }
  return json ? print_json(cases) : print(text);
}

int compare(const Arguments& arguments, bool json, Progress& progress) {
  if (arguments.words.size() != 2) {
    throw Error(ErrorCode::kUsage, {.doing = "--compare",
                                    .got = std::to_string(arguments.words.size()) + " files",
                                    .expected = "two that t2v bench --json wrote",
                                    .advice = "t2v bench --compare A.json B.json"});
  }
  const BenchComparison comparison =
      compare_benches(arguments.words[0], arguments.words[1], arguments.fail_over);
  json ? print_json(to_json(comparison)) : print(describe(comparison));
  const std::string objection = comparison.objection();
  if (objection.empty()) return 0;
  progress.fail(kExitSomeFailed, "--fail-over: " + objection);
  return kExitSomeFailed;
}

void tell_failed(std::ptrdiff_t count, Progress& progress) {
  progress.fail(kExitSomeFailed, std::to_string(count) +
                                     (count == 1 ? " case that was" : " cases that were") +
                                     " asked for did not fit");
}

int dry_run(const BenchRequest& request, bool json, Progress& progress) {
  const BenchPlan plan = plan_bench(request);
  json ? print_json(to_json(plan)) : print(describe(plan));
  const auto failed = std::count_if(plan.cases.begin(), plan.cases.end(), [](const PlannedCase& planned) {
    return planned.asked && !planned.refusal.empty();
  });
  if (failed == 0) return 0;
  tell_failed(failed, progress);
  return kExitSomeFailed;
}

/// What one flag leaves another nothing to do with would pass unseen: a gate as well.
void check_flags(const Arguments& arguments) {
  const auto refuse = [](bool given, const char* flag, const char* expected) {
    if (!given) return;
    throw Error(ErrorCode::kUsage,
                {.doing = flag, .got = "a flag that does nothing here", .expected = expected});
  };
  const bool report = !arguments.report.empty(), price = arguments.price_per_hour.has_value();
  refuse(arguments.fail_over && !arguments.compare, "--fail-over", "it with --compare A.json B.json");
  refuse(arguments.overwrite && !report, "--overwrite", "it with --report FILE.html");
  for (const auto& [instead, without] : {std::pair(arguments.compare, "it without --compare"),
                                         std::pair(arguments.dry_run, "it without --dry-run"),
                                         std::pair(arguments.list, "it without --list")}) {
    refuse(report && instead, "--report", without);
    refuse(price && instead, "--price-per-hour", without);
  }
  refuse(arguments.dry_run && arguments.compare, "--dry-run", "it without --compare");
  refuse(arguments.list && arguments.compare, "--list", "it without --compare");
  refuse(arguments.list && !arguments.words.empty(), "--list", "it without names of cases");
  const std::string extension = arguments.report.extension().string();
  if (report && extension != ".html" && extension != ".htm") {
    throw Error(ErrorCode::kUsage, {.doing = "--report " + arguments.report.string(),
                                    .got = extension.empty() ? "no extension" : "the extension " + extension,
                                    .expected = ".html or .htm"});
  }
}

int run(const Invocation& invocation, Arguments& arguments, Progress& progress) {
  check_flags(arguments);
  if (arguments.list) return list_cases(invocation.json);
  if (arguments.compare) return compare(arguments, invocation.json, progress);
  arguments.request.cases = arguments.words;
  if (arguments.dry_run) return dry_run(arguments.request, invocation.json, progress);
  std::optional<WholeFile> page;
  if (!arguments.report.empty()) page.emplace("--report", arguments.report, arguments.overwrite);
  const BenchReport report = bench(arguments.request, make_run_control(progress));
  const nlohmann::ordered_json json = to_json(report, arguments.price_per_hour);
  const auto failed = std::count_if(report.failures.begin(), report.failures.end(),
                                    [](const BenchFailure& failure) { return failure.asked; });
  if (failed == 0) progress.summarize(true);
  if (page) page->write(bench_page(json));  // first: standard output may be gone
  invocation.json ? print_json(json) : print(describe(report, arguments.price_per_hour));
  if (failed == 0) return 0;
  tell_failed(failed, progress);
  progress.summarize(false);
  return kExitSomeFailed;
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
      {"What to time",
       {switch_flag({"--list"}, "Show the cases instead", arguments.list, true),
        path_flag({"--model", "-m"}, "PATH", "Of load.model and e2e.model", request.model, "tiny-world"),
        {{"--device"}, "WORD", "Where to compute", kDescribeDevice, request.device, set_device},
        choice_flag({"--dtype"}, "Numbers of transformers and text encoders", kDtypes, request.dtype,
                    "bfloat16 on a GPU, float32 on a CPU"),
        integer_flag({"--threads"}, "Processor threads", kThreadCounts, request.threads, "one a core"),
        integer_flag({"--repeats"}, "Runs of each case that count, at least", kRepeats, request.repeats, "5"),
        switch_flag({"--dry-run"}, "Tell what would run and what it takes; time nothing", arguments.dry_run,
                    true)}},
      {"What to make of it",
       {path_flag({"--report"}, "FILE.html", "Also write a page with plots", arguments.report),
        switch_flag({"--overwrite", "-y"}, "Replace a page that is there", arguments.overwrite, true),
        number_flag({"--price-per-hour"}, "Of the machine: tells what each run and clip costs", kPrices,
                    arguments.price_per_hour),
        switch_flag({"--compare"}, "Compare two files of --json instead", arguments.compare, true),
        {{"--fail-over"},
         "PERCENT",
         "Exit code 8 if a case of the second file takes so much longer",
         describe(kPercents),
         "",
         set_percent}}}};
}

}  // namespace

Command bench_command() {
  const auto arguments = std::make_shared<Arguments>();
  const auto add = [arguments](const FlagValue& value) { arguments->words.push_back(value.text); };
  const Flag operand{.names = {"CASE"},
                     .value = "TEXT",
                     .help = "What to time, or files to compare",
                     .allowed = "",
                     .fallback = "those for the device",
                     .set = add,
                     .repeatable = true};
  return {.name = "bench",
          .summary = "Times this machine, and compares such times",
          .description = kDescription,
          .notes = kNotes,
          .operands = {operand},
          .flags = flags(*arguments),
          .stopped = "what was measured is lost",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
