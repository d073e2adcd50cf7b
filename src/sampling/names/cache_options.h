#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace t2v {

enum class CacheMode { kNone, kTeaCache, kMagCache, kEasyCache };

/// The rule for skipping steps. Defaults are from the authors' code.
struct StepCacheOptions {
  CacheMode mode = CacheMode::kNone;
  double threshold = 0;                   ///< steps are skipped until the estimated error reaches it
  int64_t first = 0;                      ///< steps at the beginning of each expert that are always computed
  int64_t last = 0;                       ///< steps at the end that are always computed
  int64_t max_skip = 0;                   ///< MagCache: the most steps skipped in a row
  std::vector<double> coefficients = {};  ///< TeaCache: the polynomial, highest power first
  std::vector<double> ratios = {};        ///< MagCache: growth of a residual in each step
  bool calibrate = false;                 ///< MagCache: measures the ratios and skips nothing
};

/// The options of one of cache_mode_names(). `assignments` holds them as "key=value"; the last of two wins.
/// Error (kUsage) for a mode, key or value that is not allowed, and for missing numbers of the model.
StepCacheOptions read_cache_options(const std::string& mode, const std::vector<std::string>& assignments,
                                    int64_t steps);

}  // namespace t2v
