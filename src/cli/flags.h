#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "t2v/generate.h"
#include "t2v/log.h"
#include "values.h"

namespace t2v {

/// What the command line asks for.
struct Arguments {
  GenerateRequest request;
  std::filesystem::path prompt_file;  ///< "-" is standard input; empty: the prompt is in `request`
  LogLevel log_level = LogLevel::kNormal;
  std::string progress = "auto";
  std::string color = "auto";
  bool json = false;
  bool help = false;
  bool version = false;
};

/// One flag: everything that is known about it. Parsing, --help, did-you-mean and errors all come from here.
struct Flag {
  std::vector<std::string>
      names;          ///< ours, then the short one, then those of other programs; `-` in long ones, never `_`
  std::string value;  ///< what --help calls its value; empty: a switch
  std::string help;
  std::string allowed;   ///< in words; empty: any text
  std::string fallback;  ///< what holds without the flag; empty: nothing to say
  std::function<void(const FlagValue&, Arguments&)> set;

  bool takes_value() const { return !value.empty(); }
};

struct FlagGroup {
  std::string title;
  std::vector<Flag> flags;
};

/// The flags of `generate`, in the order of --help. The last group is how the command talks.
const std::vector<FlagGroup>& flag_groups();

/// The flag of that name, `_` and `-` being the same; nullptr if there is none.
const Flag* find_flag(const std::string& name);

/// Every name of every flag.
std::vector<std::string> flag_names();

}  // namespace t2v
