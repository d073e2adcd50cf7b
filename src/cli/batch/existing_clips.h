#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "batch_plan.h"

namespace t2v {

/// State of the output file of a clip.
enum class OutputState : uint8_t { kAbsent, kComplete, kDamaged };

/// Compares the clips that exist in the folder of a batch with the clips that it should make.
class ExistingClips {
 public:
  ExistingClips(const BatchOptions& options, Progress& progress) : options_(options), progress_(progress) {}

  /// The state of a job's output. A clip that may be replaced is absent. Error (kUsage) for another clip that
  /// may not be replaced.
  OutputState state_of(const BatchJob& job, const CheckedRequest& request);

  /// Whether an earlier run of the job left files that its new run replaces: a damaged clip, or latents.
  /// Error (kUsage) if files beside the clip are not of an earlier run.
  bool replaces_own_files(const BatchJob& job, const CheckedRequest& request, OutputState state);

 private:
  bool is_kept(const CheckedRequest& request) const;
  bool has_latents(const BatchJob& job, const CheckedRequest& request);
  std::string difference(const BatchJob& job, const CheckedRequest& request, const std::string& recorded);
  std::string difference_of_output(const BatchJob& job, const CheckedRequest& request);
  std::string model_sha256_of(const BatchJob& job, const CheckedRequest& request);

  const BatchOptions& options_;
  Progress& progress_;
  std::map<size_t, std::string> model_hashes_;  ///< by BatchJob::model
};

}  // namespace t2v
