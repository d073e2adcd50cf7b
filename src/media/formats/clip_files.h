#pragma once

#include <cstdint>
#include <filesystem>

namespace t2v {

// The files of a clip, told by the name of the output. Error (kUsage) for a name without a known extension.

/// The file of a clip; of a sequence of pictures, the first.
std::filesystem::path first_file(const std::filesystem::path& output, int64_t num_frames);

/// The file that holds the settings of a clip: the clip, or the .json beside a sequence of pictures.
std::filesystem::path settings_file(const std::filesystem::path& output);

/// Whether a file is the clip, a picture of its sequence, or the settings beside it. A clip without an output
/// has no files.
bool is_of_clip(const std::filesystem::path& output, int64_t num_frames, const std::filesystem::path& file);

}  // namespace t2v
