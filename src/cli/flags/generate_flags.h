#pragma once

#include <filesystem>
#include <vector>

#include "flag.h"
#include "t2v/generate.h"

namespace t2v {

/// The values of the flags of `generate`.
struct GenerateArguments {
  GenerateRequest request;
  std::filesystem::path prompt_file;  ///< "-": standard input; empty: the prompt is in `request`
  std::filesystem::path config;       ///< read by parse_arguments()
  bool skip_existing = false;         ///< render nothing if the clip exists and is complete
  std::filesystem::path sheet;        ///< a contact sheet of the clip; empty: none
  bool dry_run = false;               ///< print the plan instead of rendering
};

/// The default of a flag whose value comes from the model.
inline constexpr const char* kModelDefault = "the model's";

/// The flags of `generate`, in the order of --help; they write into `arguments`.
std::vector<FlagGroup> generate_flags(GenerateArguments& arguments);

/// --dry-run, for a command that makes a clip.
FlagGroup dry_run_flag(bool& dry_run);

}  // namespace t2v
