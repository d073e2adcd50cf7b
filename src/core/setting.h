#pragma once

#include <string>
#include <string_view>

namespace t2v {

/// The name of a setting as messages write it: "`num_frames`". The backquotes let a program replace settings
/// by its own names, such as flags.
inline std::string setting(std::string_view name) { return '`' + std::string(name) + '`'; }

/// A setting with its value: "`num_frames` 81".
inline std::string setting(std::string_view name, std::string_view value) {
  return setting(name) + ' ' + std::string(value);
}

}  // namespace t2v
