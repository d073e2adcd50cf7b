#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "batch_options.h"
#include "cli/flags/value_parsers.h"

namespace t2v {

inline constexpr const char* kDescribeSeeds = "seeds and ranges separated by commas, such as 1..9,42";

/// Parses "1..9,42", in which each seed stands once. Error (kUsage).
std::vector<uint64_t> parse_seeds(const FlagValue& value);

/// How a row gives the seeds of its clips.
struct RowSeeds {
  size_t row = 0;
  std::string place;  ///< of the row, for errors: "jobs.csv:3: "
  std::string prompt;
  std::optional<uint64_t> seed;  ///< of --seed, in the row or on the command line
  bool own = false;              ///< the row itself has --seed
  bool random = false;           ///< --seed is negative
};

/// Chooses the seeds of a batch's clips.
class BatchSeeds {
 public:
  explicit BatchSeeds(const BatchOptions& options) : options_(options) {}

  /// The seeds of a row: those of --seeds, or `count` seeds. Error (kUsage) for a seed that is too large,
  /// (kOutput) if a random number cannot be stored.
  std::vector<uint64_t> of_row(const RowSeeds& row, size_t count);

 private:
  const BatchOptions& options_;
  std::unordered_map<std::string, uint64_t> occurrences_;  ///< of each prompt so far
  std::string random_;  ///< the random number of the folder; empty: not read
};

}  // namespace t2v
