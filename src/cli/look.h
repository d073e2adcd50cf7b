#pragma once

#include <functional>
#include <string>

#include "command.h"
#include "flags.h"

namespace t2v {

/// Error (kUsage, kOutput) for a --sheet or a --preview terminal that cannot be, before anything is rendered.
void check_look(const Invocation& invocation, const GenerateArguments& arguments);

/// RunControl::on_preview for --preview terminal; empty without it.
std::function<void(const std::string& png)> preview_in_terminal(const GenerateArguments& arguments,
                                                                Progress& progress);

}  // namespace t2v
