#include <nlohmann/json.hpp>

#include "cli/screen/streams.h"
#include "commands.h"
#include "t2v/generate.h"

namespace t2v {

Command version_command() {
  return {.name = "version",
          .summary = "Prints the version",
          .description = "t2v version: prints the version of t2v.\n\nUsage\n  t2v version\n",
          .notes = "\nStandard output with --json: {\"version\": TEXT}\n",
          .run = [](const Invocation& invocation, Progress&) {
            if (invocation.json) return print_json({{"version", version()}});
            return print(std::string("t2v ") + version() + '\n');
          }};
}

}  // namespace t2v
