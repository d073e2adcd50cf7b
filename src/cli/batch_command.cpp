#include <algorithm>
#include <memory>

#include "cli/batch/batch_plan.h"
#include "cli/batch/batch_run.h"
#include "cli/batch/shared_folder.h"
#include "cli/flags/sheet_and_preview.h"
#include "cli/flags/usage_error.h"
#include "commands.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription = R"(t2v batch: renders many clips, and continues after an interruption.

Examples
  t2v batch --prompts prompts.txt -o clips
  t2v batch --prompts jobs.csv -o clips --steps 20 --gallery
  t2v batch -p "a red heart grows in the night sky" --seeds 1..9 -o seeds
  t2v batch --prompts prompts.txt --n-per-prompt 5 --seed 0 -o videos \
    --name-template "{prompt}-{n}.mp4"
  t2v batch --prompts clips/failed.jsonl -o clips --dtype bfloat16

Usage
  t2v batch --prompts FILE -o DIR [flags]
)";

constexpr const char* kNotes = R"(
Rows. A .txt file has one prompt per line. A .jsonl file has one JSON object per
line, whose keys are long names of flags. A .csv file has such names in its
first line and one row per clip; an empty field is not given. Standard input (-)
and files without an extension may mix prompts and objects. Blank lines are
skipped, and so are lines of prompts that begin with #.

Flags on the command line apply to every row, but a row's own flags take
precedence. A row cannot give --sheet or --skip-existing. --no-metadata does
not exist here, because the recorded settings show which clips are done.
Relative paths start at the current folder, wherever the prompt file is. Before
the first clip, all rows are checked, together with the device, the memory and
the pictures that they need. Up to 20 errors are shown at once.

Names come from --name-template, or from "output" of a row. The fields are
{index} (number of the row, from 0), {n} (number of the clip in its row, from
0), {seed}, {prompt}, {words} (the words of the prompt, joined by - without
punctuation) and the settings of a clip, such as {width}. {index:04} fills up
with zeros; {{ and }} are braces. {prompt}-{n}.mp4 is how VBench names clips.
Prompts are cut so that a name has at most 180 bytes; / and control characters
become _.

Seeds. With --seed, the second clip of a row has the next number, and so on.
--seed-base counts through all rows and clips. Without either, the seed is made
from the prompt: it differs between prompts and clips, and is the same whenever
the command runs. --seed -1 is random: another folder gets other seeds, but the
same command continues with the same seeds.

Continuing. Everything that is known about a batch is in its folder. A clip
there with the settings and weights of its row is done; if frames are missing,
it is rendered again. A clip with other settings is an error before anything is
rendered, unless --overwrite replaces it or --skip-existing keeps it. If every
clip exists, an existing --sheet stays too.

Any number of processes, here and on other machines that share the folder, can
run the command at the same time. Each clip is rendered by one of them; the clip
of a process that died is rendered by another. The filesystem must support
flock.

Order. Clips of one model and size are rendered one after the other, in the
order of the rows. Their prompts are encoded together first: as many as fit into
1 GiB of embeddings (more than a thousand sentences) or into a quarter of the
free memory or of --max-vram, and then the next ones.

Failures. A clip that fails does not stop the others, unless --fail-fast is
given. The folder has results.jsonl with a line {"output", "seconds",
"settings"} for each clip, and failed.jsonl with the rows that failed: each with
its own flags, seed and name, and with "error", which is not read again.
--prompts failed.jsonl renders only those clips, with the same flags or with
better ones. The first command also renders them again; if other flags rendered
them meanwhile, --skip-existing makes it accept them.

--gallery adds a folder of posters and index.html, which shows every clip in the
folder that t2v made. The page needs no network, and a page of another program
is never replaced.

Standard output: the path of each clip that this process renders, as soon as it
is written (--dry-run also lists existing clips), or with --json
  {"output": PATH, "seconds": X, "settings": {...}}
With --dry-run: "there" or "to do" and the path of each clip, or with --json
  {"output": PATH, "there": true or false, "settings": {...}}
then, on standard error or as the last line of JSON, what the clips to do need,
as computed by t2v plan: {"clips_to_do", "seconds", "host_peak_bytes",
"gpu_peak_bytes", "output_bytes", "latents_bytes", "disk_free_bytes"}.
--progress json is that of t2v generate, with "clip" in the events of a clip:
  {"number": N, "count": N, "output": PATH, "left": seconds of all, or null}
and "clips" in the summary: {"all": N, "written": N, "there": N, "failed": N}.
Exit code 8: some clips failed. Without --fail-fast, every clip was tried.
)";

constexpr Range<int64_t> kClipsPerRow{1, 100000};
constexpr size_t kManyRows = 1000;  // checking so many takes a noticeable time
constexpr const char* kDescribeBase = "a whole number up to 18446744073709551615";

/// The output folder. It is made if it is missing, and removed again if nothing was written into it.
class OutputFolder {
 public:
  explicit OutputFolder(const fs::path& folder) : folder_(folder) {
    std::error_code error;
    made_ = fs::create_directory(folder, error);
    if (!error && fs::is_directory(folder, error)) return;
    refuse("--output " + folder.string(), error ? '"' + error.message() + '"' : "something else",
           "a folder, or a name for one in a folder that exists");
  }
  ~OutputFolder() {
    if (made_) remove_if_unused(folder_);
  }

 private:
  fs::path folder_;
  bool made_ = false;
};

FlagGroup batch_flags(BatchOptions& options) {
  const auto set_seeds = [&options](const FlagValue& value) { options.seeds = parse_seeds(value); };
  const auto set_base = [&options](const FlagValue& value) {
    options.seed_base = parse_seed(value);
    if (!options.seed_base) refuse(value.flag, value.text, kDescribeBase);
  };
  return {
      "Batch",
      {path_flag({"--prompts"}, "FILE",
                 "One prompt or clip per row: .txt, .jsonl, .csv, or - for standard input", options.prompts),
       path_flag({"--output", "-o", "--output-path"}, "DIR",
                 "The folder for the clips; it is made if it is missing", options.folder),
       path_flag({"--name-template"}, "TEXT", "Template for the names of the clips", options.name_template,
                 options.name_template),
       integer_flag({"--n-per-prompt"}, "Number of clips per row", kClipsPerRow, options.clips_per_row, "1"),
       replacing({"--seed", "--seed-base", "--n-per-prompt"},
                 value_flag({"--seeds"}, "LIST", "Seeds of the clips of every row: one clip for each",
                            kDescribeSeeds, set_seeds)),
       replacing({"--seed"}, value_flag({"--seed-base"}, "N",
                                        "Seed of the first clip; each further clip has the next number",
                                        kDescribeBase, set_base)),
       switch_flag({"--fail-fast"}, "Stop at the first clip that fails", options.fail_fast, true),
       switch_flag({"--gallery"}, "Also write a page that shows the clips, index.html", options.gallery,
                   true),
       switch_flag({"--dry-run"}, "Check everything and list the clips; render nothing", options.dry_run,
                   true)}};
}

/// The flags of generate that apply to every clip. The batch chooses the output, and always records settings.
std::vector<FlagGroup> clip_flags(GenerateArguments& arguments) {
  std::vector<FlagGroup> groups = generate_flags(arguments);
  for (FlagGroup& group : groups) {
    std::erase_if(group.flags, [](const Flag& flag) {
      return flag.name() == "--output" || flag.name() == "--no-metadata";
    });
  }
  return groups;
}

/// Error (kUsage) for two flags on the command line that contradict each other about the seeds.
void expect_one_kind_of_seeds(const Invocation& invocation, BatchOptions& options) {
  const auto given = [&](const std::string& name) {
    return std::any_of(invocation.given.begin(), invocation.given.end(),
                       [&](const GivenFlag& item) { return item.where == name; });
  };
  for (const Flag& flag : batch_flags(options).flags) {
    for (const std::string& other : flag.replaces) {
      if (given(flag.name()) && given(other)) refuse(flag.name(), other + " beside it", "one of them");
    }
  }
}

int run(const Invocation& invocation, BatchOptions& options, const GenerateArguments& arguments,
        const std::vector<GivenFlag>& common, Progress& progress) {
  const auto require = [](bool given, const char* flag, const char* expected) {
    if (!given) refuse(flag, "nothing", expected, "t2v batch --help shows examples");
  };
  require(!options.folder.empty(), "--output", "a folder for the clips");
  if (options.folder == "-") {
    refuse("--output -", "standard output", "a folder for the clips", "a folder of that name is ./-");
  }
  const bool prompt = !arguments.request.prompt.empty() || !arguments.prompt_file.empty();
  require(!options.prompts.empty() || prompt, "--prompts", "a file with prompts");
  expect_one_kind_of_seeds(invocation, options);
  options.sheet = arguments.sheet;
  options.overwrite = arguments.request.outputs.overwrite;
  options.skip_existing = arguments.skip_existing;
  GenerateArguments of_clips = arguments;
  of_clips.sheet.clear();  // the sheet is about the whole batch
  check_sheet_and_preview(invocation, of_clips);
  BatchRows rows = options.prompts.empty() ? BatchRows::single() : BatchRows::read(options.prompts);
  if (rows.size() >= kManyRows) progress.note("t2v: checking " + std::to_string(rows.size()) + " rows");
  const OutputFolder folder(options.folder);
  BatchPlan plan(options, std::move(rows), common, invocation.words, progress);
  return options.dry_run ? list_batch(options, plan, progress, invocation.json)
                         : render_batch(options, plan, progress, invocation.json,
                                        preview_in_terminal(arguments, progress));
}

}  // namespace

Command batch_command() {
  const auto options = std::make_shared<BatchOptions>();
  const auto arguments = std::make_shared<GenerateArguments>();
  const std::vector<FlagGroup> of_clips = clip_flags(*arguments);
  std::vector<FlagGroup> flags = of_clips;
  flags.insert(flags.begin(), batch_flags(*options));
  return {.name = "batch",
          .summary = "Renders many clips; continues after an interruption",
          .description = kDescription,
          .notes = kNotes,
          .flags = flags,
          .stopped = "the clips that are done stay, and the same command continues",
          .run = [options, arguments, of_clips](const Invocation& invocation, Progress& progress) {
            return run(invocation, *options, *arguments, known_to(of_clips, invocation.given), progress);
          }};
}

}  // namespace t2v
