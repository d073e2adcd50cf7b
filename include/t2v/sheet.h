#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace t2v {

/// A clip on a contact sheet.
struct SheetClip {
  std::filesystem::path clip;  ///< a clip that compare() can read
  std::string label;           ///< drawn under its picture: digits, '-' and '.'
};

/// Checks the name of a sheet before its clips are rendered. Error (kUsage) for another suffix than .png, for
/// a file that exists, for a missing folder; (kOutput).
void check_sheet(const std::filesystem::path& sheet, bool overwrite);

/// Writes a .png: of one clip, frames from the first to the last with their numbers from 1; of several clips,
/// the middle frame of each with its label. A failure leaves no file. Error (kInput) for a clip that cannot
/// be read, (kUsage, kOutput) as check_sheet().
void write_sheet(const std::vector<SheetClip>& clips, const std::filesystem::path& sheet, bool overwrite);

/// Writes a small .png of the middle frame of a clip. Replaces an old one. Error (kInput, kOutput).
void write_poster(const std::filesystem::path& clip, const std::filesystem::path& poster);

}  // namespace t2v
