#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "batch_plan.h"
#include "t2v/plan.h"

namespace t2v {

/// What the clips of a batch that are still to do take together. One of each kind is planned; the others like
/// it take as much, and time in proportion to their work.
class BatchOutlook {
 public:
  /// A clip that is to do. `request` makes its checked request, if it is the first of its kind or with its
  /// pictures. Error as plan_run().
  void add(const BatchJob& job, const std::function<CheckedRequest()>& request);

  /// "3 clips to do; about 2.1 min; at most 1.20 GiB of memory; about 3 MiB on the disk, ..."
  std::string text() const;
  nlohmann::ordered_json json() const;

 private:
  struct Planned {
    Plan plan;
    double work;
  };

  const Planned& planned(const BatchJob& job, const std::function<CheckedRequest()>& request);

  std::map<size_t, Planned> plans_;  ///< by kind
  std::set<size_t> models_, inputs_;
  int64_t clips_ = 0;
  std::optional<double> seconds_ = 0;
  int64_t host_peak_ = 0, gpu_peak_ = 0, output_ = 0, latents_ = 0, disk_free_ = 0;
};

}  // namespace t2v
