#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "generate_flags.h"
#include "t2v/sheet.h"

namespace t2v {

/// Error (kUsage, kOutput) for a --sheet or a --preview terminal that cannot be, before anything is rendered.
void check_look(const Invocation& invocation, const GenerateArguments& arguments);

/// write_sheet(), whose Error then says that the clips are written.
void make_sheet(const std::vector<SheetClip>& clips, const std::filesystem::path& sheet, bool overwrite);

/// RunControl::on_preview for --preview terminal; empty without it.
std::function<void(const std::string& png)> preview_in_terminal(const GenerateArguments& arguments,
                                                                Progress& progress);

}  // namespace t2v
