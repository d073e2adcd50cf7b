#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/flags/value_parsers.h"

namespace t2v {

/// The values of the flags of `batch`, without the flags of the clips.
struct BatchOptions {
  std::filesystem::path prompts;  ///< "-": standard input; empty: one row, given on the command line
  std::filesystem::path folder;
  int64_t clips_per_row = 1;
  std::vector<uint64_t> seeds;        ///< every row has one clip for each
  std::optional<uint64_t> seed_base;  ///< seed of the first clip; each further clip has the next number
  std::string name_template = "{index:04}-{words}-{seed}.mp4";
  std::filesystem::path sheet;  ///< a contact sheet of all clips; empty: none
  bool overwrite = false;       ///< replace the sheet; the rows have this flag for their clips
  bool skip_existing = false;   ///< keep an existing clip although its settings are others
  bool fail_fast = false;
  bool gallery = false;
  bool dry_run = false;
};

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
