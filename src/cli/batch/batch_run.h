#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "batch_estimate.h"
#include "batch_plan.h"
#include "batch_report.h"
#include "cli/screen/progress.h"
#include "existing_clips.h"
#include "shared_folder.h"
#include "t2v/error.h"
#include "t2v/renderer.h"

namespace t2v {

/// Renders the missing clips of a batch, together with other processes that work in the same folder.
class BatchRun {
 public:
  /// Looks for existing clips in the folder. Error (kUsage) for an existing clip with other settings that may
  /// not be replaced.
  BatchRun(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json);

  /// Prints every clip and whether it exists, then what the missing clips need. Returns the exit code. Error
  /// as render() before its first clip.
  int list();

  /// Returns the exit code when every clip is written or has failed, here or in another process. `on_preview`
  /// is that of RunControl. Error as plan_run() and check_sheet() before the first clip; (kOutput); Stopped.
  int render(const std::function<void(const std::string& png)>& on_preview);

 private:
  void find_existing();
  void check_job(BatchErrors& errors, const BatchJob& job, const std::function<void()>& check) const;
  BatchEstimate check_pending();
  void warn_damaged(const CheckedRequest& request) const;
  void render_pending();
  bool try_job(size_t number);
  void render_job(size_t number, CheckedRequest request, OutputState state);
  void note_failure(size_t number, const Error& error);
  void publish_failure(size_t number, Claim& claim, const Error& error);
  void announce_jobs(size_t number);
  std::optional<double> seconds_left() const;
  void pause() const;
  void summarize() const;

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

}  // namespace t2v
