#pragma once

#include <filesystem>

namespace t2v {

/// `model` as ModelChoice takes it: a path that exists stays, the name of a model becomes its folder or file,
/// and any other path stays. Never downloads. Error (kInput) for a name whose model is not in the cache.
std::filesystem::path locate_model(const std::filesystem::path& model);

}  // namespace t2v
