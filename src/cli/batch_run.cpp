#include "batch_run.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <new>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "batch_gallery.h"
#include "batch_names.h"
#include "result.h"
#include "run_command.h"
#include "same_clip.h"
#include "streams.h"
#include "t2v/error.h"
#include "t2v/inspect.h"
#include "t2v/sheet.h"
#include "t2v/text.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kSomeFailed = 8;
constexpr const char* kResults = "results.jsonl";
constexpr const char* kFailed = "failed.jsonl";
constexpr const char* kGallery = "index.html";
/// Prompts are encoded for so many clips at a time: enough to pay for loading the text encoder, few enough
/// for the memory that embeddings take.
constexpr size_t kExpected = 256;
constexpr size_t kMostNamed = 10;  ///< failures, at the end
constexpr int kPause = 200;        ///< milliseconds between looks at what others make

std::string dump(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// `seconds`: null for a clip whose process did not live to tell.
std::string result_line(const std::string& name, const Json& seconds, const Json& settings) {
  return dump({{"output", name}, {"seconds", seconds}, {"settings", settings}});
}

/// The Error for what a clip failed with.
Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kResource,
                 {.doing = "rendering", .got = "no memory", .expected = "enough memory"});
  } catch (const std::exception& error) {
    return Error(ErrorCode::kBug, {.doing = "a bug in t2v", .advice = error.what()});
  }
}

/// Latents that earlier runs kept beside a clip that is there now.
void remove_kept_latents(const fs::path& output) {
  std::error_code ignored;
  for (int number = 1;; ++number) {
    const std::string which = number == 1 ? "" : '-' + std::to_string(number);
    if (!fs::remove(fs::path(output) += ".latents" + which + ".safetensors", ignored)) return;
  }
}

}  // namespace

BatchRun::BatchRun(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json)
    : options_(options),
      plan_(plan),
      progress_(progress),
      json_(json),
      states_(plan.jobs().size(), State::kOpen) {
  for (size_t number = 0; number < states_.size(); ++number) {
    const BatchJob& job = plan_.jobs()[number];
    std::error_code ignored;
    const fs::path output = options_.folder / job.name;
    const bool sequence = output.extension() == ".png";
    if (!sequence && !fs::exists(fs::symlink_status(output, ignored))) continue;  // most, in a new folder
    const GenerateRequest request = plan_.request(job);
    const Found found = find(request);
    if (found == Found::kSame) states_[number] = State::kThere;
    if (found == Found::kOther && !request.overwrite) refuse_other(job, request);
  }
}

BatchRun::Found BatchRun::find(const GenerateRequest& request) const {
  const fs::path file = settings_file(request);
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(file, ignored))) return Found::kNothing;
  try {
    if (options_.skip_existing && find_rendered(request)) return Found::kSame;
    const Inspection inspection = inspect(file);
    const bool same = inspection.kind == Inspection::Kind::kClip &&
                      same_clip(Json::parse(inspection.settings), Json::parse(settings_of(request)));
    return same ? Found::kSame : Found::kOther;
  } catch (const std::exception&) {
    return Found::kOther;
  }
}

void BatchRun::refuse_other(const BatchJob& job, const GenerateRequest& request) const {
  throw Error(ErrorCode::kUsage, {.doing = plan_.place(job.row) + request.output.string(),
                                  .got = "a clip that was made with other settings, or something else",
                                  .expected = "none, or one with these settings",
                                  .advice = "add --overwrite to replace it, or use another folder"});
}

int BatchRun::list() {
  std::string text;
  for (size_t number = 0; number < states_.size(); ++number) {
    const GenerateRequest request = plan_.request(plan_.jobs()[number]);
    const bool there = states_[number] == State::kThere;
    if (json_) {
      text += dump({{"output", request.output.string()},
                    {"there", there},
                    {"settings", Json::parse(settings_of(request))}});
    } else {
      text += (there ? "there  " : "to do  ") + request.output.string();
    }
    text += '\n';
  }
  return print(text);
}

int BatchRun::render(const std::function<void(const std::string& png)>& on_preview) {
  if (wants_sheet()) check_sheet(options_.sheet, options_.overwrite);
  control_ = make_run_control(progress_);
  control_.on_preview = on_preview;
  folder_.emplace(options_.folder);
  renderer_.emplace();
  const auto leave = [&] {
    progress_.end_clip();
    summarize();
    try {
      return folder_->leave([this](const auto& failures) { finish(failures); });
    } catch (const Error& error) {
      progress_.log(std::string("t2v: warning: ") + error.what());
      return true;
    }
  };
  try {
    work();
  } catch (...) {
    leave();
    throw;
  }
  if (leave() && wants_sheet() && failed_.empty()) make_sheet();
  progress_.summarize(failed_.empty());
  return failed_.empty() ? 0 : kSomeFailed;
}

/// Whether there is to be a contact sheet that is not there yet: it comes when all of its clips are there.
bool BatchRun::wants_sheet() const {
  const bool all_there =
      std::all_of(states_.begin(), states_.end(), [](State state) { return state == State::kThere; });
  std::error_code ignored;
  return !options_.sheet.empty() && !(all_there && fs::exists(options_.sheet, ignored));
}

void BatchRun::make_sheet() {
  std::vector<const BatchJob*> jobs;
  for (const BatchJob& job : plan_.jobs()) jobs.push_back(&job);
  std::sort(jobs.begin(), jobs.end(), [](const BatchJob* a, const BatchJob* b) {
    return std::tie(a->row, a->sample) < std::tie(b->row, b->sample);
  });
  std::vector<SheetClip> clips;
  for (const BatchJob* job : jobs) {
    clips.push_back({.clip = options_.folder / job->name, .label = std::to_string(job->seed)});
  }
  write_sheet(clips, options_.sheet, options_.overwrite);
}

void BatchRun::work() {
  std::vector<size_t> open;
  for (size_t number = 0; number < states_.size(); ++number) {
    if (states_[number] == State::kOpen) open.push_back(number);
  }
  // What others are making comes last: they may die, or fail.
  for (bool waits = false; !open.empty(); waits = true) {
    const size_t before = open.size();
    std::erase_if(open, [&](size_t number) {
      if (options_.fail_fast && !failed_.empty()) return true;
      return attempt(number);
    });
    if (open.empty()) break;
    if (!waits) {
      progress_.note("t2v: waiting for " + std::to_string(open.size()) + " clips that others are making");
    }
    if (open.size() == before) pause();
  }
}

void BatchRun::pause() const {
  for (int slept = 0; slept < kPause && !*control_.stop; slept += 20) ::poll(nullptr, 0, 20);
}

/// False while another process is making the clip.
bool BatchRun::attempt(size_t number) {
  if (*control_.stop) throw Stopped{};
  const BatchJob& job = plan_.jobs()[number];
  std::optional<Claim> claim = folder_->claim(job.name);
  if (!claim) return false;
  if (!claim->failure().empty()) {
    const Json row = Json::parse(claim->failure(), nullptr, /*allow_exceptions=*/false);
    failed_[number] = row.is_object() && row.contains("error") ? row["error"].value("message", "") : "";
    states_[number] = State::kFailed;
    return true;
  }
  try {
    const GenerateRequest request = plan_.request(job);
    const Found found = find(request);
    if (found == Found::kSame) {
      states_[number] = State::kThere;
      return true;
    }
    if (found == Found::kOther && !request.overwrite) refuse_other(job, request);
    make(number, request);
  } catch (const Stopped&) {
    throw;
  } catch (...) {
    fail(number, *claim, current_error());
  }
  return true;
}

void BatchRun::make(size_t number, const GenerateRequest& request) {
  const BatchJob& job = plan_.jobs()[number];
  expect(number);
  progress_.begin_clip({.number = static_cast<int64_t>(number) + 1,
                        .count = static_cast<int64_t>(states_.size()),
                        .output = request.output.string(),
                        .left = seconds_left()});
  const double began = progress_.seconds();
  const GenerateResult result = renderer_->generate(request, control_);
  const double seconds = progress_.seconds() - began;
  work_done_ += job.work;
  seconds_worked_ += seconds;
  states_[number] = State::kWritten;
  if (request.save_latents.empty()) remove_kept_latents(request.output);
  tell(job, result, seconds);
}

/// Tells of a clip that is there, whatever comes of telling.
void BatchRun::tell(const BatchJob& job, const GenerateResult& result, double seconds) {
  const auto warn = [&](const std::string& what) {
    progress_.log("t2v: warning: the clip is written, but " + what);
  };
  try {
    folder_->append(kResults, result_line(job.name, seconds, Json::parse(result.settings)));
  } catch (const Error& error) {
    warn(std::string("not in results.jsonl: ") + error.what());
  }
  if (!write_all(STDOUT_FILENO, describe_result(result, json_, seconds))) {
    warn(std::string("standard output is not: ") + std::strerror(errno));
  }
}

void BatchRun::fail(size_t number, Claim& claim, const Error& error) {
  const BatchJob& job = plan_.jobs()[number];
  progress_.fail(static_cast<int>(error.code()), plan_.place(job.row) + job.name + ": " + error.what());
  states_[number] = State::kFailed;
  failed_[number] = error.what();
  if (error.code() == ErrorCode::kResource) {
    // What a clip that failed for the lack of memory holds, the next may need.
    renderer_.emplace();
    expected_end_ = 0;
  }
  Json row = plan_.row(job);
  row["error"] = {{"code", static_cast<int>(error.code())}, {"message", error.what()}};
  claim.fail(dump(row));
  try {
    folder_->append(kFailed, dump(row));
  } catch (const Error& unwritten) {
    progress_.log(std::string("t2v: warning: ") + unwritten.what());
  }
}

/// Lets the renderer know what comes from this job on, always one before it has done all that it knows of.
void BatchRun::expect(size_t number) {
  if (number + 1 < expected_end_) return;
  std::vector<GenerateRequest> requests;
  for (expected_end_ = number; expected_end_ < states_.size() && requests.size() < kExpected;
       ++expected_end_) {
    if (states_[expected_end_] == State::kOpen) {
      requests.push_back(plan_.request(plan_.jobs()[expected_end_]));
    }
  }
  if (expected_end_ == states_.size()) ++expected_end_;  // there is no next one to know of
  renderer_->expect(requests);
}

/// For everything that is open, as if nobody helped.
std::optional<double> BatchRun::seconds_left() const {
  if (work_done_ <= 0) return std::nullopt;
  double work = 0;
  for (size_t number = 0; number < states_.size(); ++number) {
    if (states_[number] == State::kOpen) work += plan_.jobs()[number].work;
  }
  return work * seconds_worked_ / work_done_;
}

void BatchRun::summarize() const {
  BatchCounts counts{.all = static_cast<int64_t>(states_.size())};
  for (const State state : states_) {
    counts.written += state == State::kWritten ? 1 : 0;
    counts.there += state == State::kThere ? 1 : 0;
    counts.failed += state == State::kFailed ? 1 : 0;
  }
  progress_.set_counts(counts);
  size_t named = 0;
  for (const auto& [number, why] : failed_) {
    if (named++ == kMostNamed) break;
    const BatchJob& job = plan_.jobs()[number];
    progress_.note("t2v: failed: " + escape_for_display(plan_.place(job.row) + job.name + ": " + why));
  }
  if (failed_.size() > kMostNamed) {
    progress_.note("t2v: failed: " + std::to_string(failed_.size() - kMostNamed) + " more, see " + kFailed);
  }
}

/// What the last process to leave does for all.
void BatchRun::finish(const std::vector<std::string>& failures) {
  std::string failed_rows;
  for (const std::string& row : failures) failed_rows += row + '\n';
  // What was not tried may stand nowhere else: this file can be what was being rendered.
  if (std::find(states_.begin(), states_.end(), State::kOpen) != states_.end()) {
    std::ifstream earlier(options_.folder / kFailed);
    for (std::string row; std::getline(earlier, row);) {
      if (std::find(failures.begin(), failures.end(), row) == failures.end()) failed_rows += row + '\n';
    }
  }
  folder_->replace(kFailed, failed_rows);
  complete_results();
  if (options_.gallery) folder_->replace(kGallery, gallery());
}

/// Adds the clips whose processes ended between the clip and its line.
void BatchRun::complete_results() {
  std::set<std::string> told;
  std::ifstream lines(options_.folder / kResults);
  for (std::string line; std::getline(lines, line);) {
    const Json result = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (result.is_object() && result.contains("output") && result["output"].is_string())
      told.insert(result["output"]);
  }
  for (size_t number = 0; number < states_.size(); ++number) {
    const BatchJob& job = plan_.jobs()[number];
    if (states_[number] != State::kThere || told.contains(job.name)) continue;
    const Inspection inspection = inspect(settings_file(plan_.request(job)));
    folder_->append(kResults, result_line(job.name, nullptr, Json::parse(inspection.settings)));
  }
}

std::string BatchRun::gallery() {
  std::vector<GalleryClip> clips;
  for (size_t number = 0; number < states_.size(); ++number) {
    const GenerateRequest request = plan_.request(plan_.jobs()[number]);
    GalleryClip clip;
    clip.file = first_file(request).filename().string();
    clip.prompt = request.prompt;
    clip.settings = settings_of(request);
    clip.seconds = static_cast<double>(*request.num_frames) / *request.fps;
    if (const auto why = failed_.find(number); why != failed_.end()) clip.failure = why->second;
    std::error_code ignored;
    clip.there = clip.failure.empty() && fs::exists(settings_file(request), ignored);
    clips.push_back(std::move(clip));
  }
  return gallery_page(fs::absolute(options_.folder / "").parent_path().filename().string(), clips);
}

}  // namespace t2v
