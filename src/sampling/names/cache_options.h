#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace t2v {

enum class CacheMode { kNone, kTeaCache, kMagCache, kEasyCache };

/// The rule by which steps are skipped. Defaults are the values of the authors' code.
struct StepCacheOptions {
  CacheMode mode = CacheMode::kNone;
  double threshold = 0;  ///< steps are skipped until the estimated error reaches it
  int64_t first = 0;     ///< so many steps at the beginning, and for a second expert, are computed
  int64_t last = 0;      ///< so many at the end
  int64_t max_skip = 0;  ///< of MagCache: so many are skipped in a row at most
  std::vector<double> coefficients = {};  ///< of TeaCache: the polynomial, highest power first
  std::vector<double> ratios = {};        ///< of MagCache: how a residual grows, one for each step
  bool calibrate = false;                 ///< of MagCache: measures the ratios, skips nothing
};

/// The options of one of cache_mode_names(). `said` holds them as "key=value"; the last of two wins. Error
/// (kUsage) for a mode, key or value that is not allowed, and for numbers of the model that are missing.
StepCacheOptions read_cache_options(const std::string& mode, const std::vector<std::string>& said,
                                    int64_t steps);

}  // namespace t2v
