#pragma once

#include <string_view>

namespace t2v {

/// What a file is that holds no tensors, told by its first bytes: "a PNG image", "a web page (HTML)", ...; ""
/// for what may be a checkpoint, whole or damaged.
std::string_view foreign_format(std::string_view bytes);

}  // namespace t2v
