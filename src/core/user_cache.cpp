#include "core/user_cache.h"

#include <cstdlib>

namespace t2v {

std::filesystem::path user_cache_folder() {
  const auto variable = [](const char* name) -> std::filesystem::path {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const auto cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "t2v";
  const auto home = variable("HOME");
  return home.is_absolute() ? home / ".cache" / "t2v" : std::filesystem::path();
}

}  // namespace t2v
