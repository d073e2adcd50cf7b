#include "invocation.h"

namespace t2v {
namespace {

const std::vector<std::string> kProgressStyles = {"auto", "bar", "plain", "json", "none"};
const std::vector<std::string> kColors = {"auto", "always", "never"};

}  // namespace

FlagGroup general_flags(Invocation& invocation) {
  return {"General",
          {switch_flag({"--quiet", "-q"}, "Print errors only", invocation.log_level, LogLevel::kQuiet),
           switch_flag({"--verbose", "-v"}, "Print details of loading and of automatic choices",
                       invocation.log_level, LogLevel::kVerbose),
           switch_flag({"--json"}, "Print the result on standard output as JSON", invocation.json, true),
           choice_flag({"--progress"}, "How progress is shown on standard error", kProgressStyles,
                       invocation.progress, invocation.progress),
           choice_flag({"--color"}, "Colours on standard error; auto: on a terminal, unless NO_COLOR is set",
                       kColors, invocation.color, invocation.color),
           switch_flag({"--help", "-h"}, "Print this help", invocation.help, true),
           switch_flag({"--version"}, "Print the version", invocation.version, true)}};
}

}  // namespace t2v
