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

/// Estimates what the pending clips of a batch need together. One clip of each kind is planned; other clips
/// of the kind need as much memory and disk, and time in proportion to their work.
class BatchEstimate {
 public:
  /// Adds a pending clip. `request` makes its checked request, and is called for the first clip of a kind and
  /// for the first with these inputs. Error as plan_run().
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
  std::optional<double> seconds_ = 0;  ///< empty: some phase was not measured
  int64_t host_peak_ = 0, gpu_peak_ = 0, output_ = 0, latents_ = 0, disk_free_ = 0;
};

}  // namespace t2v
