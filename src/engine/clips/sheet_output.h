#pragma once

#include <filesystem>
#include <vector>

#include "t2v/sheet.h"

namespace t2v {

/// Writes frames of one clip, or the middle frames of several, as one .png. Error (kInput, kOutput).
void write_contact_sheet(const std::vector<SheetClip>& clips, const std::filesystem::path& sheet,
                         bool overwrite);

/// Writes the middle frame of a clip as a small .png. Replaces an old file. Error (kInput, kOutput).
void write_middle_frame(const std::filesystem::path& clip, const std::filesystem::path& poster);

}  // namespace t2v
