#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/screen/progress.h"
#include "command_line.h"
#include "generate_flags.h"
#include "t2v/sheet.h"

namespace t2v {

/// Checks --sheet and --preview terminal before anything is rendered. Error (kUsage, kOutput).
void check_sheet_and_preview(const Invocation& invocation, const GenerateArguments& arguments);

/// Writes the contact sheet of finished clips. Its Error says that the clips are written.
void write_sheet_of(const std::vector<SheetClip>& clips, const std::filesystem::path& sheet, bool overwrite);

/// A function for RunControl::on_preview that shows pictures in the terminal; empty without --preview
/// terminal.
std::function<void(const std::string& png)> preview_in_terminal(const GenerateArguments& arguments,
                                                                Progress& progress);

}  // namespace t2v
