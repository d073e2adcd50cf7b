#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace t2v {

/// A clip on a contact sheet.
struct SheetClip {
  std::filesystem::path clip;  ///< any that compare() takes
  std::string label;           ///< drawn under its picture; digits, '-' and '.' alone have a shape
};

/// Checks what can be checked before clips are rendered for a sheet. Error (kUsage): no .png, it exists, its
/// folder does not; (kOutput).
void check_sheet(const std::filesystem::path& sheet, bool overwrite);

/// Writes a .png that shows, of one clip, frames from the first to the last with their numbers counted from
/// 1; of several clips, the middle frame of each with its label, in their order. It is whole or not there at
/// all. Error (kInput) for a clip that cannot be read, (kUsage, kOutput) as check_sheet.
void write_sheet(const std::vector<SheetClip>& clips, const std::filesystem::path& sheet, bool overwrite);

/// Writes a small .png of the middle frame of a clip; one that is there is replaced. Error (kInput, kOutput).
void write_poster(const std::filesystem::path& clip, const std::filesystem::path& poster);

}  // namespace t2v
