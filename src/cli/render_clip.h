#pragma once

#include <filesystem>
#include <functional>

#include "cli/flags/generate_flags.h"
#include "commands.h"

namespace t2v {

/// Calls `make`, which makes a clip, then `finish`, which makes files beside the clip, and prints the clip's
/// path on standard output; also when `finish` fails. A clip on standard output is not printed. Error,
/// Stopped.
void make_and_print(const Invocation& invocation, const std::filesystem::path& output, Progress& progress,
                    const std::function<GenerateResult()>& make, const std::function<void()>& finish = {});

/// Renders the clip that the arguments ask for and prints its path; in a dry run, prints the plan. Calls
/// `on_rendered` with a new clip. Returns the exit code. Error, Stopped.
int render_clip(const Invocation& invocation, GenerateArguments& arguments, Progress& progress,
                const std::function<void(const GenerateResult&)>& on_rendered = {});

}  // namespace t2v
