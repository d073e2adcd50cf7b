#include "batch_run.h"

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "batch_estimate.h"
#include "batch_names.h"
#include "batch_report.h"
#include "cli/screen/clip_messages.h"
#include "cli/screen/format.h"
#include "cli/screen/in_flags.h"
#include "cli/screen/streams.h"
#include "core/text.h"
#include "existing_clips.h"
#include "media/formats/clip_files.h"
#include "shared_folder.h"
#include "t2v/error.h"
#include "t2v/renderer.h"
#include "t2v/sheet.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr size_t kMostAnnounced = 4096;  ///< clips
constexpr size_t kMostFailures = 10;     ///< named at the end
constexpr int kPause = 200;              ///< milliseconds between looks at the clips of other processes

/// The exception that is being handled, as an Error.
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

/// The Error of a clip that failed in another process; `failure` is its row in failed.jsonl.
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

/// Removes latents that earlier runs kept because they could not write this clip.
void remove_kept_latents(const fs::path& output) {
  std::error_code ignored;
  for (int number = 1;; ++number) {
    const std::string which = number == 1 ? "" : '-' + std::to_string(number);
    if (!fs::remove(fs::path(output) += ".latents" + which + ".safetensors", ignored)) return;
  }
}

/// Renders the missing clips of a batch, together with other processes that work in the same folder.
class BatchRun {
 public:
  /// Looks for existing clips in the folder.
  BatchRun(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json)
      : options_(options),
        plan_(plan),
        progress_(progress),
        json_(json),
        existing_(options, progress),
        outcome_{std::vector<JobState>(plan.jobs().size(), JobState::kPending), {}},
        most_announced_(kMostAnnounced) {
    find_existing();
  }

  int list() {
    const BatchEstimate estimate = check_pending();
    std::string text;
    for (size_t number = 0; number < outcome_.states.size(); ++number) {
      const CheckedRequest request = plan_.request(plan_.jobs()[number]);
      const bool there = outcome_.states[number] == JobState::kExists;
      if (json_) {
        text += one_line({{"output", request.outputs.output.string()},
                          {"there", there},
                          {"settings", Json::parse(settings_of(request))}});
      } else {
        text += (there ? "there  " : "to do  ") + request.outputs.output.string();
      }
      text += '\n';
    }
    print(text + (json_ ? one_line(estimate.json()) + '\n' : ""));
    progress_.note("t2v: " + estimate.text());
    return 0;
  }

  int render(const std::function<void(const std::string& png)>& on_preview) {
    check_pending();
    control_ = make_run_control(progress_);
    control_.on_preview = on_preview;
    folder_.emplace(options_.folder);
    report_.emplace(options_, plan_, progress_, json_, *folder_);
    renderer_.emplace();
    const auto leave = [&] {
      progress_.set_clip(std::nullopt);
      summarize();
      try {
        folder_->leave([&](const auto& failures) { report_->finish(outcome_, failures); });
      } catch (const std::exception& error) {
        progress_.log(std::string("t2v: warning: ") + error.what());
      }
    };
    try {
      render_pending();
    } catch (...) {
      leave();
      throw;
    }
    leave();
    report_->expect_finished();
    progress_.summarize(outcome_.failed.empty());
    return outcome_.failed.empty() ? 0 : kExitNotPassed;
  }

 private:
  void find_existing() {
    bool noted = false;
    size_t without_latents = 0;
    CheckedRequest first_without;
    BatchErrors errors(progress_);
    for (size_t number = 0; number < outcome_.states.size(); ++number) {
      const BatchJob& job = plan_.jobs()[number];
      std::error_code ignored;
      const fs::path output = options_.folder / job.name;
      const bool sequence = output.extension() == ".png";
      if (!sequence && !fs::exists(fs::symlink_status(output, ignored))) continue;  // the usual case
      const auto check = [&] {
        const CheckedRequest request = plan_.request(job);
        if (!noted && fs::exists(settings_file(request.outputs.output), ignored)) {
          progress_.note("t2v: looking at the clips that are there");  // the engine is loaded for it
          noted = true;
        }
        const OutputState state = existing_.state_of(job, request);
        if (state == OutputState::kComplete) outcome_.states[number] = JobState::kExists;
        if (state == OutputState::kComplete && lacks_latents(request.outputs) && without_latents++ == 0) {
          first_without = request;
        }
        if (state == OutputState::kDamaged && options_.dry_run) warn_damaged(request);  // else when rendered
      };
      errors.try_row(check, plan_.place(job.row));
    }
    errors.expect_none();
    if (without_latents > 0) warn_missing_latents(first_without.outputs, without_latents - 1, progress_);
  }

  /// Checks everything that can be checked before the first clip. Existing clips, and clips of a kind that
  /// was checked already, cost nothing.
  BatchEstimate check_pending() {
    if (BatchReport::wants_sheet(options_, outcome_)) check_sheet(options_.sheet, options_.overwrite);
    BatchReport::check_page(options_);
    BatchEstimate estimate;
    BatchErrors errors(progress_);
    std::set<std::pair<size_t, size_t>> refused;  // kinds and inputs of jobs that failed: one error is enough
    for (size_t number = 0; number < outcome_.states.size(); ++number) {
      const BatchJob& job = plan_.jobs()[number];
      const std::pair kind(job.kind, job.inputs);
      if (outcome_.states[number] != JobState::kPending || refused.contains(kind)) continue;
      const auto check = [&] {
        refused.insert(kind);
        estimate.add(job, [&] { return plan_.request(job); });
        refused.erase(kind);
      };
      errors.try_row(check, plan_.place(job.row));
    }
    errors.expect_none();
    return estimate;
  }

  void warn_damaged(const CheckedRequest& request) const {
    progress_.note("t2v: warning: " + escape_for_display(request.outputs.output.string()) +
                   " is damaged: some of its frames are missing; it is rendered again");
  }

  void render_pending() {
    std::vector<size_t> pending;
    for (size_t number = 0; number < outcome_.states.size(); ++number) {
      if (outcome_.states[number] == JobState::kPending) pending.push_back(number);
    }
    // Clips that other processes are making come last: those processes may die, or fail.
    for (bool waits = false; !pending.empty(); waits = true) {
      const size_t before = pending.size();
      std::erase_if(pending, [&](size_t number) {
        if (options_.fail_fast && !outcome_.failed.empty()) return true;
        return try_job(number);
      });
      if (pending.empty()) break;
      if (!waits) {
        progress_.note("t2v: waiting for " + count_of_clips(pending.size()) + " that others are making");
      }
      if (pending.size() == before) pause();
    }
  }

  /// Renders a job unless it is done. Returns false while another process is making the clip.
  bool try_job(size_t number) {
    if (*control_.stop) throw Stopped{};
    const BatchJob& job = plan_.jobs()[number];
    std::optional<Claim> claim = folder_->claim(job.name);
    if (!claim) return false;
    if (!claim->failure().empty()) {
      note_failure(number, error_elsewhere(claim->failure()));
      return true;
    }
    try {
      const CheckedRequest request = plan_.request(job);
      const OutputState state = existing_.state_of(job, request);
      if (state == OutputState::kComplete) {
        outcome_.states[number] = JobState::kExists;
        return true;
      }
      if (state == OutputState::kDamaged) warn_damaged(request);
      render_job(number, request, state);
    } catch (const Stopped&) {
      throw;
    } catch (...) {
      publish_failure(number, *claim, current_error());
    }
    return true;
  }

  void render_job(size_t number, CheckedRequest request, OutputState state) {
    const BatchJob& job = plan_.jobs()[number];
    // The old files stay until the new ones are complete.
    if (existing_.replaces_own_files(job, request, state)) request.outputs.overwrite = true;
    announce_jobs(number);
    progress_.set_clip(ClipOfBatch{.number = static_cast<int64_t>(number) + 1,
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
    report_->report_clip(job, request, result, seconds);
  }

  void note_failure(size_t number, const Error& error) {
    const BatchJob& job = plan_.jobs()[number];
    progress_.fail(static_cast<int>(error.code()), plan_.place(job.row) + job.name + ": " + error.what());
    outcome_.states[number] = JobState::kFailed;
    outcome_.failed[number] = in_flags(error.what());
  }

  /// Notes a failure of this process, and publishes it for the other processes.
  void publish_failure(size_t number, Claim& claim, const Error& error) {
    const BatchJob& job = plan_.jobs()[number];
    note_failure(number, error);
    if (error.code() == ErrorCode::kResource) {
      // Frees the memory of the failed clip for the next one.
      renderer_.emplace();
      announced_end_ = 0;
      most_announced_ = std::max<size_t>(most_announced_ / 8, 1);
    }
    Json row = plan_.row(job);
    row["error"] = {{"code", static_cast<int>(error.code())}, {"message", in_flags(error.what())}};
    claim.fail(one_line(row));
    report_->report_failure(row);
  }

  /// Announces this job and the following ones to the renderer, one job before it has done all that it knows
  /// of.
  void announce_jobs(size_t number) {
    if (number + 1 < announced_end_) return;
    std::vector<CheckedRequest> requests;
    for (announced_end_ = number;
         announced_end_ < outcome_.states.size() && requests.size() < most_announced_; ++announced_end_) {
      if (outcome_.states[announced_end_] != JobState::kPending) continue;
      try {
        requests.push_back(plan_.request(plan_.jobs()[announced_end_]));
      } catch (const Error&) {
        // reported when the job is tried
      }
    }
    if (announced_end_ == outcome_.states.size()) ++announced_end_;  // no further job to announce
    renderer_->expect(requests);
  }

  /// The time for all pending jobs, if no other process helps.
  std::optional<double> seconds_left() const {
    if (work_done_ <= 0) return std::nullopt;
    double work = 0;
    for (size_t number = 0; number < outcome_.states.size(); ++number) {
      if (outcome_.states[number] == JobState::kPending) work += plan_.jobs()[number].work;
    }
    return work * seconds_worked_ / work_done_;
  }

  void pause() const {
    for (int slept = 0; slept < kPause && !*control_.stop; slept += 20) ::poll(nullptr, 0, 20);
  }

  void summarize() const {
    BatchCounts counts{.all = static_cast<int64_t>(outcome_.states.size())};
    for (const JobState state : outcome_.states) {
      counts.written += state == JobState::kWritten ? 1 : 0;
      counts.there += state == JobState::kExists ? 1 : 0;
      counts.failed += state == JobState::kFailed ? 1 : 0;
    }
    progress_.set_counts(counts);
    size_t named = 0;
    for (const auto& [number, error] : outcome_.failed) {
      if (named++ == kMostFailures) break;
      const BatchJob& job = plan_.jobs()[number];
      progress_.note("t2v: failed: " + escape_for_display(plan_.place(job.row) + job.name));
    }
    if (outcome_.failed.size() > kMostFailures) {
      progress_.note("t2v: failed: " + std::to_string(outcome_.failed.size() - kMostFailures) +
                     " more, see failed.jsonl");
    }
  }

  const BatchOptions& options_;
  BatchPlan& plan_;
  Progress& progress_;
  bool json_;
  ExistingClips existing_;
  RunControl control_;
  std::optional<SharedFolder> folder_;
  std::optional<BatchReport> report_;
  std::optional<Renderer> renderer_;
  BatchOutcome outcome_;
  size_t announced_end_ = 0;  ///< the renderer knows of the jobs before this one
  size_t most_announced_;
  double work_done_ = 0, seconds_worked_ = 0;
};

}  // namespace

int list_batch(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json) {
  return BatchRun(options, plan, progress, json).list();
}

int render_batch(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json,
                 const std::function<void(const std::string& png)>& on_preview) {
  return BatchRun(options, plan, progress, json).render(on_preview);
}

}  // namespace t2v
