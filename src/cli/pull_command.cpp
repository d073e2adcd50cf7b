#include <memory>

#include <nlohmann/json.hpp>

#include "commands.h"
#include "run_command.h"
#include "streams.h"
#include "t2v/hub.h"

namespace t2v {
namespace {

constexpr const char* kDescription = R"(t2v pull: downloads a checkpoint from the Hugging Face Hub.

Examples
  t2v pull wan2.1-t2v-1.3b
  t2v pull Wan-AI/Wan2.2-TI2V-5B-Diffusers
  t2v pull city96/Wan2.1-T2V-14B-gguf --include '*Q4_K_M.gguf'
  t2v --model wan2.1-t2v-1.3b -p "two cats box on a stage" -o cats.mp4

Usage
  t2v pull NAME [flags]
)";

constexpr const char* kNotes = R"(
It goes into the cache that huggingface_hub uses (HF_HOME, HF_HUB_CACHE), and
what is there already is not downloaded again. Every file is checked against
its hash. Stopped or broken off, the same command continues where it was.
A gated repository needs a token (HF_TOKEN, or hf auth login).

Standard output: the folder, or with --json
  {"path": PATH, "repository": ID, "commit": ID, "downloaded": BYTES}
--progress json: download events, "done" of "total" bytes, "detail" the file.
)";

int run(const Invocation& invocation, const PullRequest& request, Progress& progress) {
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
  const auto request = std::make_shared<PullRequest>();
  return {.name = "pull",
          .summary = "Downloads a checkpoint into the Hugging Face cache",
          .description = kDescription,
          .notes = kNotes,
          .operands = {path_flag({"NAME"}, "TEXT", "A short name (t2v models list), or org/repo[@revision]",
                                 request->model)},
          .flags = {{"What to download",
                     {path_flag({"--variant"}, "WORD",
                                "Weights named so, such as fp16, where the repository has some",
                                request->variant),
                      {{"--include"},
                       "PATTERN",
                       "Only files like this; may be given more than once",
                       "",
                       "what a checkpoint needs",
                       [request](const FlagValue& value) { request->include.push_back(value.text); },
                       true},
                      switch_flag({"--offline"}, "Download nothing: only look whether it is here",
                                  request->offline, true)}}},
          .stopped = "what came so far is kept; the same command continues",
          .run = [request](const Invocation& invocation, Progress& progress) {
            return run(invocation, *request, progress);
          }};
}

}  // namespace t2v
