#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

#include "cli/flags/generate_flags.h"
#include "command.h"
#include "t2v/generate.h"

namespace t2v {

/// Error (kUsage) for a clip and JSON that both would go to standard output.
void expect_one_output(const Invocation& invocation, const std::filesystem::path& output);

/// Has a clip made and tells on standard output where it is; a clip that goes there itself is not told.
/// `finish` makes what was asked for beside it; the clip is told whatever comes of that. Error, Stopped.
void deliver(const Invocation& invocation, const std::filesystem::path& output, Progress& progress,
             const std::function<GenerateResult()>& make, const std::function<void()>& finish = {});

/// Whether a clip that is there is without the latents that are asked for beside it.
bool lacks_latents(const Outputs& outputs);
/// Says so of a clip, and of so many more.
void tell_no_latents(const Outputs& outputs, size_t more, Progress& progress);

/// What `generate` does: renders the clip that the arguments ask for and tells on standard output where it
/// is; of a dry run tells the plan. `look` gets the result as well. Returns the exit code. Error, Stopped.
int render(const Invocation& invocation, GenerateArguments& arguments, Progress& progress,
           const std::function<void(const GenerateResult&)>& look = {});

}  // namespace t2v
