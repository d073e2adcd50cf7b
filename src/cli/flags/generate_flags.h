#pragma once

#include <filesystem>
#include <vector>

#include "flag.h"
#include "t2v/generate.h"

namespace t2v {

/// What the command line of `generate` asks for.
struct GenerateArguments {
  GenerateRequest request;
  std::filesystem::path prompt_file;  ///< "-" is standard input; empty: the prompt is in `request`
  std::filesystem::path config;       ///< read by whoever reads the command line
  bool skip_existing = false;         ///< what is there already and whole is not rendered
  std::filesystem::path sheet;        ///< a contact sheet of what is rendered; empty: none
  bool dry_run = false;               ///< instead of rendering, what it would take is told
};

/// Where the default of a flag is that of the model.
inline constexpr const char* kOfModel = "the model's";

/// The flags of `generate`, in the order of --help; they write into `arguments`.
std::vector<FlagGroup> generate_flags(GenerateArguments& arguments);

}  // namespace t2v
