#include "batch_plan.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/flags/text_file.h"
#include "cli/flags/usage_error.h"
#include "cli/flags/with_flags.h"
#include "media/formats/clip_files.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kMostClips = 10'000'000;
// Entries of used_ beside names of flags: the batch chooses the seed, or the name, of some clip.
constexpr const char* kBatchSeed = "seeds";
constexpr const char* kBatchName = "names";

/// The conditions with one name for every file.
Conditions without_names(Conditions conditions) {
  for (std::filesystem::path* file :
       {&conditions.image, &conditions.end_image, &conditions.control_video, &conditions.control_mask}) {
    if (!file->empty()) *file = "file";
  }
  for (std::filesystem::path& file : conditions.reference_images) file = "file";
  conditions.conditioning_scale.reset();
  return conditions;
}

/// About how long a clip takes, relative to others.
double work_of(const CheckedRequest& request) {
  const CheckedSize& size = request.size;
  const CheckedSampling& sampling = request.sampling;
  return static_cast<double>(size.width * size.height * size.num_frames) *
         static_cast<double>(sampling.num_inference_steps) * (sampling.guidance_scale > 1 ? 2 : 1);
}

/// The absolute path of a file without symbolic links; the file may be missing.
fs::path full_path(const fs::path& file) {
  std::error_code ignored;
  return fs::weakly_canonical(fs::absolute(file, ignored), ignored);
}

/// The value of a flag with its path made absolute. Values that are not paths stay: "terminal", the name of a
/// model.
std::string with_absolute_path(const Flag& flag, const std::string& value) {
  std::error_code error;
  const bool names_file = flag.value == "PATH"
                              ? fs::exists(value, error)
                              : flag.value == "FILE" || flag.value == "DIR" || flag.value.starts_with("PATH");
  return names_file && value != "terminal" ? fs::absolute(value, error).string() : value;
}

/// The flags that a row may give: all flags of generate that are not about the whole batch.
std::vector<FlagGroup> row_flags(GenerateArguments& arguments) {
  const std::set<std::string> others = {"--sheet", "--no-metadata", "--skip-existing"};
  std::vector<FlagGroup> groups = generate_flags(arguments);
  for (FlagGroup& group : groups) {
    std::erase_if(group.flags, [&](const Flag& flag) { return others.contains(flag.names[0]); });
  }
  return groups;
}

std::string name_of(const NameTemplate& name, const BatchJob& job, const CheckedRequest& request,
                    const std::string& where) {
  return name.name([&](const std::string& field) -> std::string {
    if (field == "index") return std::to_string(job.row);
    if (field == "n") return std::to_string(job.sample);
    if (field == "seed") return std::to_string(job.seed);
    if (field == "prompt") return request.prompt;
    const Json settings = Json::parse(settings_of(request));
    const auto found = settings.find(field);
    if (found == settings.end() || found->is_structured()) {
      refuse(where, "the field {" + field + '}', "{index}, {n}, {seed}, {prompt} or a setting of the clip",
             "t2v inspect shows those of a clip");
    }
    return found->is_string() ? found->get<std::string>() : found->dump();
  });
}

}  // namespace

ModelKey model_of(const CheckedRequest& request) {
  Machine machine = request.machine;
  machine.threads = Machine().threads;
  machine.embeds_cache.clear();
  machine.vae_tiling = false;
  return {request.model, machine};
}

CheckedSize shape_of(const CheckedRequest& request) {
  CheckedSize shape = request.size;
  shape.fps = 0;
  return shape;
}

KindKey kind_of(const CheckedRequest& request) {
  return {.extension = request.outputs.output.extension().string(),
          .encoding = request.encoding,
          .caching = request.caching,
          .sampler = request.sampling.sampler,
          .fps = request.size.fps,
          .threads = request.machine.threads,
          .vae_tiling = request.machine.vae_tiling,
          .is_guided = request.sampling.guidance_scale > 1,
          .makes_previews = request.outputs.makes_previews(),
          .conditions = without_names(request.conditions)};
}

BatchPlan::BatchPlan(const BatchOptions& options, BatchRows rows, const std::vector<GivenFlag>& common,
                     const std::vector<std::string>& words, Progress& progress)
    : options_(options),
      name_template_(options.name_template, "--name-template"),
      words_(words),
      rows_(std::move(rows)),
      seeds_(options_),
      groups_(row_flags(arguments_)) {
  common_ = known_to(groups_, common);
  rows_.expect_header(groups_);
  for (const char* name : {"results.jsonl", "failed.jsonl", "index.html"})
    reserve_file("", "the batch's own", options_.folder / name);
  reserve_file("", "--sheet", options_.sheet);
  BatchErrors errors(progress);
  for (size_t row = 0; row < rows_.size(); ++row) {
    errors.try_row([&] { add_jobs(row); });
  }
  expect_free_names(errors);
  errors.expect_none();
  warn_unused(progress);
  sort_jobs();
}

bool BatchPlan::is_flag(const std::string& name, const char* flag) const {
  const Flag* found = find_flag(groups_, "--" + name);
  return found != nullptr && found->names[0] == flag;
}

bool BatchPlan::gives(const std::vector<GivenFlag>& given, const char* flag) const {
  return std::any_of(given.begin(), given.end(),
                     [&](const GivenFlag& item) { return is_flag(item.name, flag); });
}

/// The request of a row: its own flags, and flags of the command line that it does not give itself.
GenerateRequest BatchPlan::request_of(const std::string& place, const std::vector<GivenFlag>& given) {
  std::string names;
  for (const GivenFlag& item : given) names += item.name + '\n';
  auto found = defaults_.find(names);
  if (found == defaults_.end()) {
    std::vector<GivenFlag> left = merge(groups_, given, common_);
    left.resize(left.size() - given.size());
    for (const GivenFlag& item : left) {
      if (item.name != "prompt-file") used_.insert(item.name);  // the row may have a prompt instead
    }
    arguments_ = {};
    apply_given(groups_, left);
    found = defaults_.emplace(names, arguments_).first;
  }
  arguments_ = found->second;
  apply_given(groups_, given);
  if (const fs::path& file = arguments_.prompt_file; !file.empty()) {
    used_.insert("prompt-file");
    arguments_.request.prompt = prompt_in(file, gives(given, "--prompt-file") ? place : "");
  }
  if (arguments_.request.prompt.empty()) {
    refuse(place + "--prompt", "nothing", "a description of the clip");
  }
  arguments_.request.arguments = words_;
  return arguments_.request;
}

/// The prompt in a file. It is read once, because it may be standard input.
const std::string& BatchPlan::prompt_in(const fs::path& file, const std::string& place) {
  if (!prompts_.contains(file)) {
    try {
      prompts_[file] = read_prompt(file);
    } catch (const Error& error) {
      throw Error(error.code(), {.doing = place + error.what()});
    }
  }
  return prompts_[file];
}

/// Whether an error names one of the given flags.
bool BatchPlan::names_any(const std::string& error, const std::vector<GivenFlag>& given) const {
  const std::string shown = with_flags(groups_, error) + ' ';
  const auto names = [&](const std::string& flag) {
    const std::string_view ends = " :,;)";
    return std::any_of(ends.begin(), ends.end(),
                       [&](char end) { return shown.find(flag + end) != std::string::npos; });
  };
  return std::any_of(given.begin(), given.end(), [&](const GivenFlag& item) {
    const Flag& flag = *find_flag(groups_, "--" + item.name);
    return std::any_of(flag.names.begin(), flag.names.end(), names);
  });
}

CheckedRequest BatchPlan::check(const std::string& place, const std::vector<GivenFlag>& given,
                                GenerateRequest request) {
  // An existing output may be this very clip.
  const bool overwrite = std::exchange(request.outputs.overwrite, true);
  try {
    CheckedRequest checked = checker_.check(request);
    checked.outputs.overwrite = overwrite;
    return checked;
  } catch (const Error& error) {
    const bool of_row = names_any(error.what(), given) || error.what() != common_error();
    throw Error(error.code(), {.doing = (of_row ? place : "") + error.what()});
  }
}

/// The error of a row that gives only a prompt; "" for none. Such an error belongs to the command line.
const std::string& BatchPlan::common_error() {
  if (common_error_) return *common_error_;
  try {
    GenerateRequest request = request_of("", {{"prompt", {"any"}, "--prompt"}});
    request.outputs.output = options_.folder / name_template_.name([](const std::string&) { return "0"; });
    request.outputs.overwrite = true;
    checker_.check(request);
    common_error_ = "";
  } catch (const Error& error) {
    common_error_ = error.what();
  }
  return *common_error_;
}

/// A seed for each clip of the row, whose own flags are `given`.
std::vector<uint64_t> BatchPlan::seeds_of(size_t row, const std::vector<GivenFlag>& given,
                                          const GenerateRequest& request, size_t count) {
  RowSeeds of_row{.row = row, .place = place(row), .prompt = request.prompt, .seed = request.sampling.seed};
  of_row.own = gives(given, "--seed");
  of_row.random = !request.sampling.seed && (of_row.own || gives(common_, "--seed"));
  if (!of_row.own) used_.insert(kBatchSeed);
  return seeds_.of_row(of_row, count);
}

/// The job of the first clip of a row, without its seed and name.
BatchJob BatchPlan::first_job(size_t row, const CheckedRequest& checked) {
  const auto number_in = [](auto& numbers, const auto& key) {
    return numbers.try_emplace(key, numbers.size()).first->second;
  };
  BatchJob job;
  job.row = row;
  job.work = work_of(checked);
  job.model = number_in(models_, model_of(checked));
  job.shape = number_in(shapes_, shape_of(checked));
  job.kind = number_in(kinds_, std::tuple(job.model, job.shape, kind_of(checked)));
  job.inputs = number_in(inputs_, std::tuple(job.model, job.shape, checked.conditions));
  return job;
}

void BatchPlan::add_jobs(size_t row) {
  const std::vector<GivenFlag> given = rows_.given(row, groups_);
  GenerateRequest request = request_of(place(row), given);
  const bool named = !request.outputs.output.empty();
  if (!named) used_.insert(kBatchName);
  if (request.outputs.shows_previews && gives(given, "--preview")) {
    refuse(place(row) + "--preview", "terminal", "a file, or --preview terminal on the command line");
  }
  const std::string where = named ? rows_.where(row) + ": output" : "--name-template";
  const NameTemplate name = named ? NameTemplate(request.outputs.output.string(), where) : name_template_;
  request.outputs.output = options_.folder / name.name([](const std::string&) { return "0"; });
  // A row that names its clip, without fields, is one clip.
  const size_t count = named && !name.has_fields() ? 1 : static_cast<size_t>(options_.clips_per_row);
  const std::vector<uint64_t> seeds = seeds_of(row, given, request, count);
  request.sampling.seed = seeds[0];
  CheckedRequest checked = check(place(row), given, request);

  if (jobs_.size() + seeds.size() > kMostClips) {
    refuse(place(row) + "the batch", "more than " + std::to_string(kMostClips) + " clips", "fewer");
  }
  BatchJob job = first_job(row, checked);
  for (const uint64_t seed : seeds) {
    job.seed = seed;
    checked.sampling.seed = seed;
    job.name = name_of(name, job, checked, where);
    reserve_file(place(row), "--save-latents", checked.outputs.save_latents);
    reserve_file(place(row), "--preview", checked.outputs.preview);
    jobs_.push_back(job);
    ++job.sample;
  }
}

/// Notes a file that is written beside the clips. Error (kUsage) if it is noted already.
void BatchPlan::reserve_file(const std::string& place, const char* flag, const fs::path& file) {
  if (file.empty() || files_.try_emplace(full_path(file), place, flag).second) return;
  refuse(place + flag + ' ' + file.string(), "a name that another clip, or a file about all of them, has",
         "one for each clip", "give it in the rows");
}

/// Whether a file name belongs to the sequence of pictures of some job: a picture, or the settings.
bool BatchPlan::is_in_sequence(const std::string& file, const Names& taken) {
  const fs::path name = file;
  const size_t digits = file.size() - name.extension().string().size();
  const size_t dash = file.find_last_not_of("0123456789", digits - 1);
  const bool picture = name.extension() == ".png" && dash != std::string::npos && file[dash] == '-';
  if (!picture && name.extension() != ".json") return false;
  const auto found = taken.find(file.substr(0, picture ? dash : digits) + ".png");
  if (found == taken.end()) return false;
  const CheckedRequest clip = request(*found->second);
  return is_of_clip(clip.outputs.output, clip.size.num_frames, options_.folder / name);
}

void BatchPlan::expect_free_names(BatchErrors& errors) {
  Names taken;
  taken.reserve(jobs_.size());
  for (const BatchJob& job : jobs_) {
    const auto [earlier, is_new] = taken.emplace(job.name, &job);
    if (is_new) continue;
    const bool same_row = earlier->second->row == job.row;
    const std::string other = same_row ? "another clip of the row" : rows_.where(earlier->second->row);
    errors.try_row([&] {
      refuse(place(job.row) + "the clip " + job.name, "a name that " + other + " has", "one for each clip",
             "add {index}, {n} or {seed} to --name-template");
    });
  }
  for (const BatchJob& job : jobs_) {
    errors.try_row([&] {
      if (!is_in_sequence(job.name, taken)) return;
      const CheckedRequest clip = request(job);
      if (first_file(clip.outputs.output, clip.size.num_frames).filename() != job.name) return;
      refuse(place(job.row) + "the clip " + job.name, "the name of a picture of another clip",
             "a name of its own");
    });
  }
  const fs::path folder = full_path(options_.folder);
  for (const auto& [file, giver] : files_) {
    errors.try_row([&] {
      const std::string name = file.filename().string();
      if (file.parent_path() != folder || !(taken.contains(name) || is_in_sequence(name, taken))) return;
      refuse(giver.first + giver.second + ' ' + file.string(), "the name of a clip", "a name of its own");
    });
  }
}

/// Warns of flags on the command line that every row gives itself.
void BatchPlan::warn_unused(Progress& progress) const {
  const auto warn = [&progress](const std::string& flag) {
    progress.note("t2v: warning: " + flag + " counts for nothing: every row gives its own");
  };
  for (const GivenFlag& item : common_) {
    if (item.where.starts_with("-") && !used_.contains(item.name)) warn(item.where);
  }
  const bool own_seeds = !used_.contains(kBatchSeed);
  if (own_seeds && !options_.seeds.empty()) warn("--seeds");
  if (own_seeds && options_.seed_base) warn("--seed-base");
  const bool named = !used_.contains(kBatchName);
  if (named && options_.clips_per_row > 1) warn("--n-per-prompt");
  if (named && options_.name_template != BatchOptions().name_template) warn("--name-template");
}

void BatchPlan::sort_jobs() {
  std::stable_sort(jobs_.begin(), jobs_.end(), [](const BatchJob& a, const BatchJob& b) {
    return std::tie(a.model, a.shape) < std::tie(b.model, b.shape);
  });
}

CheckedRequest BatchPlan::request(const BatchJob& job) {
  const std::vector<GivenFlag> given = rows_.given(job.row, groups_);
  GenerateRequest request = request_of("", given);
  request.sampling.seed = job.seed;
  request.outputs.output = options_.folder / job.name;
  return check("", given, request);
}

std::string BatchPlan::place(size_t row) const {
  const std::string where = rows_.where(row);
  return where.empty() ? "" : where + ": ";
}

Json BatchPlan::row(const BatchJob& job) {
  const std::vector<GivenFlag> given = rows_.given(job.row, groups_);
  const Json own = rows_.object(job.row);
  Json row = Json::object();
  if (!gives(given, "--prompt") && !gives(given, "--prompt-file"))
    row["prompt"] = request_of("", given).prompt;
  for (const auto& [key, value] : own.items()) {
    if (is_flag(key, "--seed") || is_flag(key, "--output")) continue;
    const Flag& flag = *find_flag(groups_, "--" + key);
    row[key] = value;
    if (value.is_string()) row[key] = with_absolute_path(flag, value);
    for (size_t i = 0; value.is_array() && i < value.size(); ++i) {
      if (value[i].is_string()) row[key][i] = with_absolute_path(flag, value[i]);
    }
  }
  row["seed"] = std::to_string(job.seed);
  row["output"] = NameTemplate::literal(job.name);
  return row;
}

}  // namespace t2v
