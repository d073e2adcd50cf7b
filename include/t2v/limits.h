#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace t2v {

/// The smallest and the largest allowed value.
template <typename T>
struct Range {
  T smallest;
  T largest;
};

// Limits of a request for any model. A model may have narrower ones.
inline constexpr size_t kLongestPrompt = 64 << 10;  ///< bytes
inline constexpr Range<int64_t> kSides{16, 16384};  ///< pixels
inline constexpr Range<int64_t> kFrameCounts{1, 100001};
inline constexpr Range<double> kDurations{0.001, 100000};  ///< seconds
inline constexpr Range<double> kFrameRates{0.01, 1000};    ///< frames a second
inline constexpr Range<int64_t> kStepCounts{1, 1000};
inline constexpr Range<double> kGuidanceScales{0, 1000};
inline constexpr Range<double> kBoundaryRatios{0, 1};
inline constexpr Range<double> kConditioningScales{0, 100};
inline constexpr Range<double> kLoraStrengths{-100, 100};
inline constexpr Range<double> kFlowShifts{0.01, 1000};
inline constexpr Range<double> kMaxVrams{0.1, 10000};  ///< GiB
inline constexpr Range<int64_t> kThreadCounts{1, 1024};
inline constexpr Range<int64_t> kPreviewIntervals{1, 1000};  ///< steps
inline constexpr Range<int64_t> kCrfs{0, 63};

// The words that a request may hold, in the order of help texts.
const std::vector<std::string>& sampler_names();
const std::vector<std::string>& cache_mode_names();
const std::vector<std::string>& quality_names();
const std::vector<std::string>& codec_names();
const std::vector<std::string>& pix_fmt_names();
inline const std::vector<std::string> kDtypes = {"float32", "bfloat16", "float16", "fp8"};
inline const std::vector<std::string> kOffloads = {"auto", "none", "cpu", "disk"};

}  // namespace t2v
