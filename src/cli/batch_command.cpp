#include <algorithm>
#include <memory>

#include "cli/batch/batch_plan.h"
#include "cli/batch/batch_run.h"
#include "cli/batch/shared_folder.h"
#include "cli/flags/sheet_and_preview.h"
#include "commands.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription =
    R"(t2v batch: renders many clips, and continues where it was stopped.

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
A .txt has one prompt a line; a .jsonl one object a line, whose keys are the
long names of flags of t2v; a .csv a first line with such names and a row a
clip, where an empty field is not given. Standard input (-), and a file without
an extension, may mix prompts and objects. Blank lines do not count, nor do
lines of prompts that begin with #. Flags on the command line hold for every
row; what a row gives itself holds in their place, but --sheet and
--skip-existing, which no row can give (and --no-metadata, which a batch has
not: what is recorded tells what is done). Paths begin in the current folder,
wherever the file is. All rows are checked before the first clip, with the
device, the memory and the pictures that they need; what is wrong with them is
told at once, up to 20 lines of it.

Names come from --name-template, or "output" of a row. Its fields are {index}
(of the row, from 0), {n} (of the row's clip, from 0), {seed}, {prompt}, {words}
(those of the prompt, joined by - and without punctuation) and the settings of a
clip, such as {width}; {index:04} fills up with zeros; {{ and }} are braces.
{prompt}-{n}.mp4 is how VBench names clips. Prompts are cut so that a name has
at most 180 bytes, and / and control characters become _.

Seeds: of a row's --seed, the second clip has one more, and so on. --seed-base
counts through all rows and clips. Without any, a seed is made from the prompt:
other for each prompt and clip, the same whenever the command is run. --seed -1
is random: other seeds in another folder, but the same command continues.

The folder is all that is remembered. A clip there whose settings and weights
are those of the row is done, or made again if it lacks frames; another is an
error, before anything is rendered, or replaced with --overwrite, or left as it
is with --skip-existing. Where all clips are there, so does a --sheet stay.
So after any interruption the same command continues, and any number of
processes, here or on other machines that share the folder, can run it at once:
each clip is made by one of them, and what a process that died was making,
another makes. The filesystem has to have flock. Clips of one model and size
are made one after the other, in the order of the rows. Their prompts are
encoded together, before the first: all of them, or as many as fit into 1 GiB of
embeddings, which are over a thousand sentences, or into a quarter of the memory
that is free or of --max-vram, and then the next.

A clip that fails does not stop the others, except with --fail-fast. The folder
has results.jsonl, a line {"output", "seconds", "settings"} for each clip, and
failed.jsonl, until their clips are made: the rows that failed, of any prompt
file, each with what it gave itself, its seed and its name, and "error", which
is not read again. As --prompts, with the flags of before or better ones, it
makes those clips alone; the same command as before makes them as well, and
after better flags made them it takes them with --skip-existing.
--gallery adds the folder posters and index.html, which shows every clip of the
folder that t2v made, needs no network, and never replaces another's page.

Standard output: the path of each clip that this process makes, as soon as it is
there (--dry-run lists those of before too), or with --json
  {"output": PATH, "seconds": X, "settings": {...}}
With --dry-run: "there" or "to do" and the path of each clip, or with --json
  {"output": PATH, "there": true or false, "settings": {...}}
and, on standard error or as the last line of JSON, what those to do take, as
t2v plan has it: {"clips_to_do", "seconds", "host_peak_bytes", "gpu_peak_bytes",
"output_bytes", "latents_bytes", "disk_free_bytes"}.
--progress json is that of t2v, with "clip" in the events of a clip
  {"number": N, "count": N, "output": PATH, "left": seconds of all, or null}
and "clips" in the summary: {"all": N, "written": N, "there": N, "failed": N}.
Exit code 8: some clips failed; without --fail-fast every one was tried.
)";

constexpr Range<int64_t> kClipsPerRow{1, 100000};
constexpr uint64_t kMostSeeds = 100000;
constexpr size_t kManyRows = 1000;  // to check them takes longer than a user waits without a word
constexpr const char* kDescribeBase = "a whole number up to 18446744073709551615";
constexpr const char* kDescribeSeeds = "seeds and ranges separated by commas, such as 1..9,42";

/// The output folder, made if it was not there; gone again if nothing came into it.
class MadeFolder {
 public:
  explicit MadeFolder(const fs::path& folder) : folder_(folder) {
    std::error_code error;
    made_ = fs::create_directory(folder, error);
    if (!error && fs::is_directory(folder, error)) return;
    throw Error(ErrorCode::kUsage, {.doing = "--output " + folder.string(),
                                    .got = error ? '"' + error.message() + '"' : "something else",
                                    .expected = "a folder, or a name for one in a folder that exists"});
  }
  ~MadeFolder() {
    if (made_) remove_if_unused(folder_);
  }

 private:
  fs::path folder_;
  bool made_ = false;
};

std::vector<uint64_t> parse_seeds(const FlagValue& value) {
  const auto refuse = [&](const std::string& expected) {
    throw Error(ErrorCode::kUsage,
                {.doing = value.flag, .got = '"' + value.text + '"', .expected = expected});
  };
  const auto seed = [&](const std::string& text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) refuse(kDescribeSeeds);
    return *parse_seed({value.flag, text});
  };
  std::vector<uint64_t> seeds;
  for (size_t begin = 0; begin <= value.text.size();) {
    const size_t end = std::min(value.text.find(',', begin), value.text.size());
    const std::string part = value.text.substr(begin, end - begin);
    const size_t dots = part.find("..");
    const uint64_t first = seed(part.substr(0, dots));
    const uint64_t last = dots == std::string::npos ? first : seed(part.substr(dots + 2));
    if (last < first) refuse(kDescribeSeeds);
    if (last - first >= kMostSeeds - seeds.size()) refuse("at most " + std::to_string(kMostSeeds) + " seeds");
    for (uint64_t count = 0; count <= last - first; ++count) seeds.push_back(first + count);
    begin = end + 1;
  }
  std::set<uint64_t> known;
  for (const uint64_t number : seeds) {
    if (!known.insert(number).second) refuse("each seed once, not " + std::to_string(number) + " again");
  }
  return seeds;
}

FlagGroup batch_flags(BatchOptions& options) {
  const auto set_seeds = [&options](const FlagValue& value) { options.seeds = parse_seeds(value); };
  const auto set_base = [&options](const FlagValue& value) {
    options.seed_base = parse_seed(value);
    if (!options.seed_base) {
      throw Error(ErrorCode::kUsage, {.doing = value.flag, .got = value.text, .expected = kDescribeBase});
    }
  };
  FlagGroup group{
      "The batch",
      {path_flag({"--prompts"}, "FILE", "One clip a row: .txt, .jsonl, .csv, or - for standard input",
                 options.prompts),
       path_flag({"--output", "-o", "--output-path"}, "DIR", "The folder for the clips, made if need be",
                 options.folder),
       path_flag({"--name-template"}, "TEXT", "What their files are called", options.name_template,
                 options.name_template),
       integer_flag({"--n-per-prompt"}, "Clips of each row", kClipsPerRow, options.clips_per_row, "1"),
       {{"--seeds"}, "LIST", "A clip of each row with each of these seeds", kDescribeSeeds, "", set_seeds},
       {{"--seed-base"}, "N", "The seed of the first clip; one more for each", kDescribeBase, "", set_base},
       switch_flag({"--fail-fast"}, "Stop at the first clip that fails", options.fail_fast, true),
       switch_flag({"--gallery"}, "Also write index.html, a page that shows the clips", options.gallery,
                   true),
       switch_flag({"--dry-run"}, "Check everything, list the clips, render nothing", options.dry_run,
                   true)}};
  for (Flag& flag : group.flags) {
    if (flag.names[0] == "--seeds") flag.replaces = {"--seed", "--seed-base", "--n-per-prompt"};
    if (flag.names[0] == "--seed-base") flag.replaces = {"--seed"};
  }
  return group;
}

/// The flags of generate that hold for every clip: all but where to, and settings always tell what is done.
std::vector<FlagGroup> clip_flags(GenerateArguments& arguments) {
  std::vector<FlagGroup> groups = generate_flags(arguments);
  for (FlagGroup& group : groups) {
    std::erase_if(group.flags, [](const Flag& flag) {
      return flag.names[0] == "--output" || flag.names[0] == "--no-metadata";
    });
  }
  return groups;
}

/// Error for two flags that say what the seeds are.
void expect_one_kind_of_seeds(const Invocation& invocation) {
  const auto given = [&](const char* name) {
    return std::any_of(invocation.given.begin(), invocation.given.end(),
                       [&](const GivenFlag& item) { return item.where == name; });
  };
  const std::pair<const char*, const char*> exclusive[] = {{"--seeds", "--seed"},
                                                           {"--seeds", "--seed-base"},
                                                           {"--seeds", "--n-per-prompt"},
                                                           {"--seed-base", "--seed"}};
  for (const auto& [one, other] : exclusive) {
    if (given(one) && given(other)) {
      throw Error(ErrorCode::kUsage,
                  {.doing = one, .got = std::string(other) + " beside it", .expected = "one of them"});
    }
  }
}

int run(const Invocation& invocation, BatchOptions& options, const GenerateArguments& arguments,
        const std::vector<GivenFlag>& common, Progress& progress) {
  const auto require = [](bool given, const char* flag, const char* what) {
    if (given) return;
    throw Error(
        ErrorCode::kUsage,
        {.doing = flag, .got = "nothing", .expected = what, .advice = "t2v batch --help shows examples"});
  };
  require(!options.folder.empty(), "--output", "a folder for the clips");
  if (options.folder == "-") {
    throw Error(ErrorCode::kUsage, {.doing = "--output -",
                                    .got = "standard output",
                                    .expected = "a folder for the clips",
                                    .advice = "a folder of that name is ./-"});
  }
  const bool prompt = !arguments.request.prompt.empty() || !arguments.prompt_file.empty();
  require(!options.prompts.empty() || prompt, "--prompts", "a file with prompts");
  expect_one_kind_of_seeds(invocation);
  options.sheet = arguments.sheet;
  options.overwrite = arguments.request.outputs.overwrite;
  options.skip_existing = arguments.skip_existing;
  GenerateArguments look = arguments;
  look.sheet.clear();  // the batch's own
  check_look(invocation, look);
  BatchRows rows = options.prompts.empty() ? BatchRows::single() : BatchRows::read(options.prompts);
  if (rows.size() >= kManyRows) progress.note("t2v: checking " + std::to_string(rows.size()) + " rows");
  const MadeFolder folder(options.folder);
  BatchPlan plan(options, std::move(rows), common, invocation.words, progress);
  BatchRun batch(options, plan, progress, invocation.json);
  return options.dry_run ? batch.list() : batch.render(preview_in_terminal(arguments, progress));
}

}  // namespace

Command batch_command() {
  const auto options = std::make_shared<BatchOptions>();
  const auto arguments = std::make_shared<GenerateArguments>();
  const std::vector<FlagGroup> of_clips = clip_flags(*arguments);
  std::vector<FlagGroup> flags = of_clips;
  flags.insert(flags.begin(), batch_flags(*options));
  return {.name = "batch",
          .summary = "Renders many clips, and continues where it was stopped",
          .description = kDescription,
          .notes = kNotes,
          .operands = {},
          .flags = flags,
          .stopped = "the clips that are done stay, and the same command continues",
          .run = [options, arguments, of_clips](const Invocation& invocation, Progress& progress) {
            return run(invocation, *options, *arguments, known_to(of_clips, invocation.given), progress);
          }};
}

}  // namespace t2v
