#include <memory>

#include <nlohmann/json.hpp>

#include "cli/screen/format.h"
#include "cli/screen/progress.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "core/text.h"
#include "t2v/hub.h"

namespace t2v {
namespace {

constexpr const char* kDescription = R"(t2v pull: downloads a checkpoint from the Hugging Face Hub.

Examples
  t2v pull wan2.1-t2v-1.3b --dry-run
  t2v pull wan2.1-t2v-1.3b
  t2v pull Wan-AI/Wan2.2-TI2V-5B-Diffusers
  t2v pull city96/Wan2.1-T2V-14B-gguf --include '*Q4_K_M.gguf'
  t2v --model wan2.1-t2v-1.3b -p "two cats box on a stage" -o cats.mp4

Usage
  t2v pull NAME [flags]
)";

constexpr const char* kNotes = R"(
The files go into the cache of huggingface_hub (HF_HOME, HF_HUB_CACHE). Files
that are already there are not downloaded again. Every file is checked against
its hash. If the download is interrupted, the same command continues it. A gated
repository needs a token (HF_TOKEN, or hf auth login).

Standard output: the folder of the model, or with --json
  {"path": PATH, "repository": ID, "commit": ID, "downloaded": BYTES}
--dry-run asks the Hub for the list of files and downloads nothing. It prints
each file and how much of it is in the cache, or with --json
  {"folder": PATH, "repository": ID, "commit": ID, "files": [{"path", "bytes",
   "here"}], "to_download": BYTES, "disk_free_bytes": BYTES}
"files" is empty if the model in the cache would be used as it is.
--progress json: download events with "done" of "total" bytes and the file as
"detail".
)";

struct PullArguments {
  PullRequest request;
  bool dry_run = false;
};

std::string describe(const PullPlan& plan) {
  if (plan.files.empty()) return "there  " + escape_for_display(plan.folder.string()) + '\n';
  std::string text;
  for (const auto& [path, bytes, here] : plan.files) {
    const std::string state = here == bytes ? "there" : here > 0 ? format_bytes(here) + " there" : "";
    text += formatted("%10s  %14s  ", format_bytes(bytes).c_str(), state.c_str()) + escape_for_display(path) +
            '\n';
  }
  text += formatted("%10s  to download into ", format_bytes(plan.to_come).c_str()) +
          escape_for_display(plan.folder.string());
  if (plan.disk_free > 0) text += "; " + format_bytes(plan.disk_free) + " are free";
  return text + '\n';
}

nlohmann::ordered_json to_json(const PullPlan& plan) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const auto& [path, bytes, here] : plan.files)
    files.push_back({{"path", path}, {"bytes", bytes}, {"here", here}});
  return {{"folder", plan.folder.string()}, {"repository", plan.repository},
          {"commit", plan.commit},          {"files", files},
          {"to_download", plan.to_come},    {"disk_free_bytes", plan.disk_free}};
}

int run(const Invocation& invocation, const PullArguments& arguments, Progress& progress) {
  const PullRequest& request = arguments.request;
  if (arguments.dry_run) {
    const PullPlan plan = plan_pull(request, make_run_control(progress));
    progress.summarize(true);
    return invocation.json ? print_json(to_json(plan)) : print(describe(plan));
  }
  const PullResult result = pull_model(request, make_run_control(progress));
  progress.summarize(true);
  if (!invocation.json) return print(result.path.string() + '\n');
  return print_json({{"path", result.path.string()},
                     {"repository", result.repository},
                     {"commit", result.commit},
                     {"downloaded", result.downloaded}});
}

}  // namespace

Command pull_command() {
  const auto arguments = std::make_shared<PullArguments>();
  const auto add = [arguments](const FlagValue& value) { arguments->request.include.push_back(value.text); };
  const Flag include =
      value_flag({"--include"}, "PATTERN", "Download only files that match; repeatable", "", add);
  return {.name = "pull",
          .summary = "Downloads a checkpoint into the Hugging Face cache",
          .description = kDescription,
          .notes = kNotes,
          .operands = {path_flag({"NAME"}, "TEXT", "A short name (t2v models list), or org/repo[@revision]",
                                 arguments->request.model)},
          .flags = {{"What to download",
                     {path_flag({"--variant"}, "WORD",
                                "Weights of this variant, such as fp16, if the repository has it",
                                arguments->request.variant),
                      defaulting("the files of a checkpoint", repeatable(include)),
                      switch_flag({"--offline"}, "Download nothing; only look in the cache",
                                  arguments->request.offline, true),
                      switch_flag({"--dry-run"}, "Print what would be downloaded; download nothing",
                                  arguments->dry_run, true)}}},
          .stopped = "what came so far is kept; the same command continues",
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
