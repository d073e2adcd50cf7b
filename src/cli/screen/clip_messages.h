#pragma once

#include <cstddef>
#include <string>

#include "progress.h"
#include "t2v/generate.h"

namespace t2v {

/// The line that standard output gets for a clip: its path, or as JSON its path, its settings and the seconds
/// that it took.
std::string clip_line(const GenerateResult& result, bool json, double seconds);

/// Prints, for a dry run, that the clip exists already.
int print_existing_clip(const GenerateResult& clip, bool json);

/// Whether --save-latents is given and its file is missing. Latents cannot be had from a clip that exists.
bool lacks_latents(const Outputs& outputs);

/// Warns that the latents of an existing clip are not written, nor those of `more` other clips.
void warn_missing_latents(const Outputs& outputs, size_t more, Progress& progress);

/// Error (kUsage) if the clip and the JSON would both go to standard output.
void expect_one_output(bool json, const std::filesystem::path& output);

}  // namespace t2v
