#include "batch_run.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <new>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "batch_names.h"
#include "cli/render_clip.h"
#include "cli/run_command.h"
#include "cli/screen/format.h"
#include "cli/screen/streams.h"
#include "settings_difference.h"
#include "t2v/error.h"
#include "t2v/inspect.h"
#include "t2v/sheet.h"
#include "t2v/text.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kSomeFailed = 8;
constexpr size_t kMostExpected = 4096;  ///< clips
constexpr size_t kMostNamed = 10;       ///< failures, at the end
constexpr int kPause = 200;             ///< milliseconds between looks at what others make

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

/// What another process says that a clip failed with.
Error error_elsewhere(const std::string& failure) {
  const Json row = Json::parse(failure, nullptr, /*allow_exceptions=*/false);
  const Json::json_pointer code("/error/code"), message("/error/message");
  const bool known = row.contains(code) && row.at(code).is_number_integer() && row.at(code) > 0 &&
                     row.at(code) <= static_cast<int>(ErrorCode::kNetwork);
  return Error(
      known ? static_cast<ErrorCode>(row.at(code).get<int>()) : ErrorCode::kBug,
      {.doing = row.contains(message) && row.at(message).is_string() ? row.at(message).get<std::string>()
                                                                     : "failed in another process"});
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
      outcome_{std::vector<JobState>(plan.jobs().size(), JobState::kOpen), {}},
      most_expected_(kMostExpected) {
  bool looked = false;
  size_t without_latents = 0;
  CheckedRequest first_without;
  BatchErrors errors(progress_);
  for (size_t number = 0; number < outcome_.states.size(); ++number) {
    const BatchJob& job = plan_.jobs()[number];
    std::error_code ignored;
    const fs::path output = options_.folder / job.name;
    const bool sequence = output.extension() == ".png";
    if (!sequence && !fs::exists(fs::symlink_status(output, ignored))) continue;  // most, in a new folder
    look(errors, job, [&] {
      const CheckedRequest request = plan_.request(job);
      if (!looked && fs::exists(settings_file(request.outputs.output), ignored)) {
        progress_.note("t2v: looking at the clips that are there");  // for which the engine is loaded
        looked = true;
      }
      const Found found = find(job, request);
      if (found == Found::kClip) outcome_.states[number] = JobState::kThere;
      if (found == Found::kClip && lacks_latents(request.outputs) && without_latents++ == 0)
        first_without = request;
      if (found == Found::kDamaged && options_.dry_run) tell_damaged(request);  // else when its turn comes
    });
  }
  errors.expect_none();
  if (without_latents > 0) tell_no_latents(first_without.outputs, without_latents - 1, progress_);
}

/// Calls it, and keeps what is wrong with the job as wrong with its row.
void BatchRun::look(BatchErrors& errors, const BatchJob& job, const std::function<void()>& at_job) const {
  const std::string place = plan_.place(job.row);
  errors.look([&] {
    try {
      at_job();
    } catch (const Error& error) {
      throw Error(error.code(), {.doing = place + error.what()});
    }
  });
}

BatchRun::Found BatchRun::find(const BatchJob& job, const CheckedRequest& request) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(settings_file(request.outputs.output), ignored))) return Found::kNothing;
  if (is_kept(request)) return Found::kClip;
  const std::string other = what_differs_there(job, request);
  if (other.empty()) return is_whole(request) ? Found::kClip : Found::kDamaged;
  if (request.outputs.overwrite) return Found::kNothing;
  throw Error(
      ErrorCode::kUsage,
      {.doing = request.outputs.output.string(),
       .got = other,
       .expected = "nothing, or the clip that is asked for",
       .advice = "add --overwrite to replace it or --skip-existing to keep it, or use another folder"});
}

/// Whether --skip-existing keeps the clip that is there, whatever it was made with.
bool BatchRun::is_kept(const CheckedRequest& request) const {
  try {
    return options_.skip_existing && find_rendered(request);
  } catch (const std::exception&) {
    return false;
  }
}

void BatchRun::tell_damaged(const CheckedRequest& request) const {
  progress_.note("t2v: warning: " + escape_for_display(request.outputs.output.string()) +
                 " is damaged: some of its frames are not there; it is made again");
}

/// What stands where the clip of a job comes, if it is another; "" if it is that clip.
std::string BatchRun::what_differs_there(const BatchJob& job, const CheckedRequest& request) {
  constexpr const char* kSomethingElse = "something that t2v did not make, or not whole";
  try {
    const Inspection inspection = inspect(settings_file(request.outputs.output));
    if (inspection.kind != Inspection::Kind::kClip) return kSomethingElse;
    const std::string other =
        what_differs(Json::parse(inspection.settings), Json::parse(settings_of(request)),
                     [&] { return model_sha256_of(job, request); });
    return other.empty() ? "" : "a clip that was made with " + other;
  } catch (const std::exception&) {
    return kSomethingElse;
  }
}

/// Says so where the weights take long to read.
std::string BatchRun::model_sha256_of(const BatchJob& job, const CheckedRequest& request) {
  const auto [found, is_new] = model_hashes_.try_emplace(job.model);
  if (!is_new) return found->second;
  std::future<std::string> hash = std::async(std::launch::async, model_sha256, std::cref(request));
  if (hash.wait_for(std::chrono::seconds(1)) == std::future_status::timeout) {
    progress_.note("t2v: comparing the weights with those of the clips that are there");
  }
  return found->second = hash.get();
}

/// Refuses what cannot be done before anything is. What is there, or like another, costs nothing.
BatchOutlook BatchRun::look_ahead() {
  if (BatchReport::wants_sheet(options_, outcome_)) check_sheet(options_.sheet, options_.overwrite);
  BatchReport::check_page(options_);
  BatchOutlook outlook;
  BatchErrors errors(progress_);
  std::set<std::pair<size_t, size_t>> refused;  // kinds and inputs of jobs: one is told, not all like it
  for (size_t number = 0; number < outcome_.states.size(); ++number) {
    const BatchJob& job = plan_.jobs()[number];
    const std::pair like(job.kind, job.inputs);
    if (outcome_.states[number] != JobState::kOpen || refused.contains(like)) continue;
    look(errors, job, [&] {
      refused.insert(like);
      outlook.add(job, [&] { return plan_.request(job); });
      refused.erase(like);
    });
  }
  errors.expect_none();
  return outlook;
}

int BatchRun::list() {
  const BatchOutlook outlook = look_ahead();
  std::string text;
  for (size_t number = 0; number < outcome_.states.size(); ++number) {
    const CheckedRequest request = plan_.request(plan_.jobs()[number]);
    const bool there = outcome_.states[number] == JobState::kThere;
    if (json_) {
      text += record_line({{"output", request.outputs.output.string()},
                           {"there", there},
                           {"settings", Json::parse(settings_of(request))}});
    } else {
      text += (there ? "there  " : "to do  ") + request.outputs.output.string();
    }
    text += '\n';
  }
  print(text + (json_ ? record_line(outlook.json()) + '\n' : ""));
  progress_.note("t2v: " + outlook.text());
  return 0;
}

int BatchRun::render(const std::function<void(const std::string& png)>& on_preview) {
  look_ahead();
  control_ = make_run_control(progress_);
  control_.on_preview = on_preview;
  folder_.emplace(options_.folder);
  report_.emplace(options_, plan_, progress_, json_, *folder_);
  renderer_.emplace();
  const auto leave = [&] {
    progress_.end_clip();
    summarize();
    try {
      folder_->leave([&](const auto& failures) { report_->settle(outcome_, failures); });
    } catch (const std::exception& error) {
      progress_.log(std::string("t2v: warning: ") + error.what());
    }
  };
  try {
    work();
  } catch (...) {
    leave();
    throw;
  }
  leave();
  report_->expect_settled();
  progress_.summarize(outcome_.failed.empty());
  return outcome_.failed.empty() ? 0 : kSomeFailed;
}

void BatchRun::work() {
  std::vector<size_t> open;
  for (size_t number = 0; number < outcome_.states.size(); ++number) {
    if (outcome_.states[number] == JobState::kOpen) open.push_back(number);
  }
  // What others are making comes last: they may die, or fail.
  for (bool waits = false; !open.empty(); waits = true) {
    const size_t before = open.size();
    std::erase_if(open, [&](size_t number) {
      if (options_.fail_fast && !outcome_.failed.empty()) return true;
      return attempt(number);
    });
    if (open.empty()) break;
    if (!waits) {
      progress_.note("t2v: waiting for " + count_of_clips(open.size()) + " that others are making");
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
    tell_failure(number, error_elsewhere(claim->failure()));
    return true;
  }
  try {
    const CheckedRequest request = plan_.request(job);
    const Found found = find(job, request);
    if (found == Found::kClip) {
      outcome_.states[number] = JobState::kThere;
      return true;
    }
    if (found == Found::kDamaged) tell_damaged(request);
    make(number, request, found);
  } catch (const Stopped&) {
    throw;
  } catch (...) {
    fail(number, *claim, current_error());
  }
  return true;
}

/// Whether the name that a row gives its latents has these of an earlier run, whose clip is not there.
bool BatchRun::find_latents(const BatchJob& job, const CheckedRequest& request) {
  std::error_code ignored;
  if (!fs::is_regular_file(request.outputs.save_latents, ignored)) return false;
  try {
    const Inspection inspection = inspect(request.outputs.save_latents);
    if (inspection.kind != Inspection::Kind::kLatents) return false;
    const Json recorded = Json::parse(inspection.settings), wanted = Json::parse(settings_of(request));
    return what_differs(recorded, wanted, [&] { return model_sha256_of(job, request); }).empty();
  } catch (const std::exception&) {
    return false;  // something else, which is told when they are to be written
  }
}

/// Refuses what a row names beside its clip and no run of it has left there, where the clip may be replaced.
void BatchRun::expect_no_others(const CheckedRequest& request, bool own_latents) const {
  const auto expect = [&](const char* flag, const fs::path& file, bool own) {
    std::error_code ignored;
    if (request.outputs.overwrite || own || !fs::exists(fs::symlink_status(file, ignored))) return;
    throw Error(ErrorCode::kUsage, {.doing = std::string(flag) + ' ' + file.string(),
                                    .got = "a name that is taken",
                                    .expected = "a new one, or what an earlier run of this row left",
                                    .advice = "move it away, or add --overwrite to replace it"});
  };
  expect("--save-latents", request.outputs.save_latents, own_latents);
  expect("--preview", request.outputs.preview, is_own_preview(request.outputs));
}

void BatchRun::make(size_t number, CheckedRequest request, Found found) {
  const BatchJob& job = plan_.jobs()[number];
  const bool own_latents = find_latents(job, request);
  if (found == Found::kDamaged || own_latents) {
    expect_no_others(request, own_latents);
    request.outputs.overwrite = true;  // what is there stays until the new is whole
  }
  expect(number);
  progress_.begin_clip({.number = static_cast<int64_t>(number) + 1,
                        .count = static_cast<int64_t>(outcome_.states.size()),
                        .output = request.outputs.output.string(),
                        .left = seconds_left()});
  const double began = progress_.seconds();
  const GenerateResult result = renderer_->generate(request, control_);
  const double seconds = progress_.seconds() - began;
  work_done_ += job.work;
  seconds_worked_ += seconds;
  outcome_.states[number] = JobState::kWritten;
  if (request.outputs.save_latents.empty()) remove_kept_latents(request.outputs.output);
  report_->tell(job, request, result, seconds);
}

void BatchRun::tell_failure(size_t number, const Error& error) {
  const BatchJob& job = plan_.jobs()[number];
  progress_.fail(static_cast<int>(error.code()), plan_.place(job.row) + job.name + ": " + error.what());
  outcome_.states[number] = JobState::kFailed;
  outcome_.failed[number] = error.what();
}

void BatchRun::fail(size_t number, Claim& claim, const Error& error) {
  const BatchJob& job = plan_.jobs()[number];
  tell_failure(number, error);
  if (error.code() == ErrorCode::kResource) {
    // What a clip that failed for the lack of memory holds, the next may need.
    renderer_.emplace();
    expected_end_ = 0;
    most_expected_ = std::max<size_t>(most_expected_ / 8, 1);
  }
  Json row = plan_.row(job);
  row["error"] = {{"code", static_cast<int>(error.code())}, {"message", error.what()}};
  claim.fail(record_line(row));
  report_->tell_failure(row);
}

/// Lets the renderer know what comes from this job on, always one before it has done all that it knows of.
void BatchRun::expect(size_t number) {
  if (number + 1 < expected_end_) return;
  std::vector<CheckedRequest> requests;
  for (expected_end_ = number; expected_end_ < outcome_.states.size() && requests.size() < most_expected_;
       ++expected_end_) {
    if (outcome_.states[expected_end_] != JobState::kOpen) continue;
    try {
      requests.push_back(plan_.request(plan_.jobs()[expected_end_]));
    } catch (const Error&) {
      // is told when its turn comes
    }
  }
  if (expected_end_ == outcome_.states.size()) ++expected_end_;  // there is no next one to know of
  renderer_->expect(requests);
}

/// For everything that is open, as if nobody helped.
std::optional<double> BatchRun::seconds_left() const {
  if (work_done_ <= 0) return std::nullopt;
  double work = 0;
  for (size_t number = 0; number < outcome_.states.size(); ++number) {
    if (outcome_.states[number] == JobState::kOpen) work += plan_.jobs()[number].work;
  }
  return work * seconds_worked_ / work_done_;
}

void BatchRun::summarize() const {
  BatchCounts counts{.all = static_cast<int64_t>(outcome_.states.size())};
  for (const JobState state : outcome_.states) {
    counts.written += state == JobState::kWritten ? 1 : 0;
    counts.there += state == JobState::kThere ? 1 : 0;
    counts.failed += state == JobState::kFailed ? 1 : 0;
  }
  progress_.set_counts(counts);
  size_t named = 0;
  for (const auto& [number, told] : outcome_.failed) {
    if (named++ == kMostNamed) break;
    const BatchJob& job = plan_.jobs()[number];
    progress_.note("t2v: failed: " + escape_for_display(plan_.place(job.row) + job.name));
  }
  if (outcome_.failed.size() > kMostNamed) {
    progress_.note("t2v: failed: " + std::to_string(outcome_.failed.size() - kMostNamed) +
                   " more, see failed.jsonl");
  }
}

}  // namespace t2v
