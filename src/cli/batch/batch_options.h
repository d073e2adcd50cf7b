#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

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

}  // namespace t2v
