#include "cli/command.h"

namespace t2v {
namespace {

const std::vector<std::string> kProgressStyles = {"auto", "bar", "plain", "json", "none"};
const std::vector<std::string> kColors = {"auto", "always", "never"};

}  // namespace

FlagGroup talking_flags(Invocation& invocation) {
  return {"How it talks",
          {switch_flag({"--quiet", "-q"}, "Only errors", invocation.log_level, LogLevel::kQuiet),
           switch_flag({"--verbose", "-v"}, "Details of what is loaded and chosen", invocation.log_level,
                       LogLevel::kVerbose),
           switch_flag({"--json"}, "The result on standard output as JSON", invocation.json, true),
           choice_flag({"--progress"}, "How progress is shown on standard error", kProgressStyles,
                       invocation.progress, invocation.progress),
           choice_flag({"--color"}, "Colour on standard error; NO_COLOR is honoured", kColors,
                       invocation.color, invocation.color),
           switch_flag({"--help", "-h"}, "This text", invocation.help, true),
           switch_flag({"--version"}, "The version", invocation.version, true)}};
}

}  // namespace t2v
