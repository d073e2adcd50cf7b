#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "batch_gallery.h"
#include "batch_plan.h"
#include "batch_records.h"
#include "cli/screen/progress.h"
#include "shared_folder.h"
#include "t2v/error.h"

namespace t2v {

enum class JobState : uint8_t { kOpen, kThere, kWritten, kFailed };

/// What became of the jobs of a batch.
struct BatchOutcome {
  std::vector<JobState> states;
  std::map<size_t, std::string> failed;  ///< why, by the number of the job
};

/// What a batch tells of its clips: on standard output, and in its folder, where results.jsonl, failed.jsonl,
/// the page and the contact sheet are.
class BatchReport {
 public:
  BatchReport(const BatchOptions& options, BatchPlan& plan, Progress& progress, bool json,
              const SharedFolder& folder);

  /// Whether there is to be a contact sheet that is not there yet, or is replaced: it comes when all of its
  /// clips are there.
  static bool wants_sheet(const BatchOptions& options, const BatchOutcome& outcome);

  /// Error (kUsage) if the page is wanted and something else has its name.
  static void check_page(const BatchOptions& options);

  /// Tells of a clip that is there now, whatever comes of telling.
  void tell(const BatchJob& job, const CheckedRequest& request, const GenerateResult& result,
            double seconds) const;
  void tell_failure(const nlohmann::ordered_json& row) const;

  /// What the last process to leave does for all, or tells that it cannot; `failures` as SharedFolder::leave
  /// has them.
  void settle(const BatchOutcome& outcome, const std::vector<std::string>& failures);
  /// The Error with which settle() could not write the page or the contact sheet of clips that are all there.
  void expect_settled() const;

 private:
  void settle_failures(const BatchOutcome& outcome, const std::vector<std::string>& failures) const;
  void settle_results(const BatchOutcome& outcome) const;
  void settle_page(const BatchOutcome& outcome) const;
  GalleryClip shown(const BatchJob& job, const std::string& failure) const;
  std::optional<GalleryClip> shown(const std::filesystem::path& settings_file) const;
  std::string poster_of(const std::filesystem::path& output, const std::filesystem::path& first) const;
  void make_sheet() const;
  void tell_no_sheet(const BatchOutcome& outcome) const;

  const BatchOptions& options_;
  BatchPlan& plan_;
  Progress& progress_;
  bool json_;
  const SharedFolder& folder_;
  std::optional<Error> error_;
};

}  // namespace t2v
