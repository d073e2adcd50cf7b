#pragma once

#include <filesystem>

namespace t2v {

/// The folder of files that come with t2v: models/ and configs/ are in it.
std::filesystem::path data_folder();
/// The folder of the model that comes with t2v.
std::filesystem::path bundled_model();

}  // namespace t2v
