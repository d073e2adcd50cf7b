#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "batch_gallery.h"
#include "batch_plan.h"
#include "cli/screen/progress.h"
#include "shared_folder.h"
#include "t2v/error.h"

namespace t2v {

enum class JobState : uint8_t { kPending, kExists, kWritten, kFailed };

/// How the jobs of a batch ended.
struct BatchOutcome {
  std::vector<JobState> states;
  std::map<size_t, std::string> failed;  ///< message by the number of the job
};

/// Reports the clips of a batch: on standard output, and in its folder by results.jsonl, failed.jsonl, the
/// page and the contact sheet.
class BatchReport {
 public:
  BatchReport(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json,
              const SharedFolder& folder);

  /// Whether a contact sheet is asked for and is to be written. An existing sheet stays if every clip existed
  /// before.
  static bool wants_sheet(const BatchOptions& options, const BatchOutcome& outcome);

  /// Error (kUsage) if the page is asked for and another file has its name.
  static void check_page(const BatchOptions& options);

  /// Reports a new clip. A report that fails is a warning.
  void report_clip(const BatchJob& job, const CheckedRequest& request, const GenerateResult& result,
                   double seconds) const;
  void report_failure(const nlohmann::ordered_json& row) const;

  /// Completes the files of the folder; the last process that leaves calls it. `failures` are those of
  /// SharedFolder::leave().
  void finish(const BatchOutcome& outcome, const std::vector<std::string>& failures);
  /// Throws the Error of finish() if all clips exist but the page or the contact sheet could not be written.
  void expect_finished() const;

 private:
  void update_failed(const BatchOutcome& outcome, const std::vector<std::string>& failures) const;
  void update_results(const BatchOutcome& outcome) const;
  void write_page(const BatchOutcome& outcome) const;
  GalleryClip gallery_clip(const BatchJob& job, const std::string& failure) const;
  std::optional<GalleryClip> gallery_clip(const std::filesystem::path& file) const;
  std::string make_poster(const std::filesystem::path& output, const std::filesystem::path& first) const;
  void make_sheet() const;
  void note_missing_sheet(const BatchOutcome& outcome) const;

  const BatchOptions& options_;
  BatchPlan& plan_;
  Progress& progress_;
  bool json_;
  const SharedFolder& folder_;
  std::optional<Error> error_;
};

}  // namespace t2v
