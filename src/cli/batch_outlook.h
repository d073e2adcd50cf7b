#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json_fwd.hpp>

#include "batch_plan.h"
#include "t2v/plan.h"

namespace t2v {

/// What the clips of a batch that are still to do take together. One is planned for each model and shape; the
/// others like it take as much, and time in proportion to their work.
class BatchOutlook {
 public:
  /// A clip that is to do, with its checked request. Error as plan().
  void add(const BatchJob& job, const GenerateRequest& request);

  int64_t refused() const { return refused_; }  ///< clips for which there is not memory enough
  /// "3 clips to do; about 2.1 min; at most 1.20 GiB of memory; about 3 MiB on the disk, ..."
  std::string text() const;
  nlohmann::ordered_json json() const;

 private:
  struct Planned {
    Plan plan;
    double work;
  };

  std::map<std::pair<size_t, size_t>, Planned> plans_;  ///< by model and shape
  std::map<size_t, bool> models_;
  int64_t clips_ = 0, refused_ = 0;
  std::optional<double> seconds_ = 0;
  int64_t host_peak_ = 0, gpu_peak_ = 0, output_ = 0, latents_ = 0, disk_free_ = 0;
  std::string refusal_;
};

}  // namespace t2v
