#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "batch_estimate.h"
#include "batch_plan.h"
#include "batch_report.h"
#include "cli/screen/progress.h"
#include "shared_folder.h"
#include "t2v/error.h"
#include "t2v/renderer.h"

namespace t2v {

/// Renders what is missing of a batch, together with whoever else is at work in its folder.
class BatchRun {
 public:
  /// Looks at what the folder has already. Error (kUsage) for clips there that were made with other settings,
  /// unless they may be overwritten.
  BatchRun(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json);

  /// A line a clip: what would be rendered and what is there; then what all of it takes. Returns the exit
  /// code. Error as render() before its first clip.
  int list();

  /// Returns when every clip is there or has failed, wherever. Returns the exit code. `on_preview` as
  /// RunControl has it. Before the first clip, Error as plan_run() and check_sheet() for all that are to do;
  /// (kOutput), Stopped.
  int render(const std::function<void(const std::string& png)>& on_preview);

 private:
  /// What has the name of a clip: nothing that stays, the clip itself, or that without some of its frames.
  enum class Found : uint8_t { kNothing, kClip, kDamaged };
  /// Error (kUsage) if it is another clip that may not be replaced.
  Found find(const BatchJob& job, const CheckedRequest& request);
  std::string model_sha256_of(const BatchJob& job, const CheckedRequest& request);
  void look(BatchErrors& errors, const BatchJob& job, const std::function<void()>& at_job) const;
  BatchOutlook look_ahead();
  std::string what_differs_there(const BatchJob& job, const CheckedRequest& request);
  bool is_kept(const CheckedRequest& request) const;
  void tell_damaged(const CheckedRequest& request) const;
  void work();
  bool attempt(size_t number);
  bool find_latents(const BatchJob& job, const CheckedRequest& request);
  void expect_no_others(const CheckedRequest& request, bool own_latents) const;
  void make(size_t number, CheckedRequest request, Found found);
  void tell_failure(size_t number, const Error& error);
  void fail(size_t number, Claim& claim, const Error& error);
  void expect(size_t number);
  std::optional<double> seconds_left() const;
  void pause() const;
  void summarize() const;

  const BatchOptions& options_;
  BatchPlan& plan_;
  Progress& progress_;
  bool json_;
  RunControl control_;
  std::optional<SharedFolder> folder_;
  std::optional<BatchReport> report_;
  std::optional<Renderer> renderer_;
  BatchOutcome outcome_;
  std::map<size_t, std::string> model_hashes_;  ///< by BatchJob::model
  size_t expected_end_ = 0;                     ///< jobs before this one are expected
  size_t most_expected_;
  double work_done_ = 0, seconds_worked_ = 0;
};

}  // namespace t2v
