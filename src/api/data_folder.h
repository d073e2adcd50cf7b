#pragma once

#include <array>
#include <filesystem>
#include <string>

namespace t2v {

/// The folder of files that come with t2v: models/ and configs/ are in it.
std::filesystem::path data_folder();

/// A model that comes with t2v, as `t2v models` shows it.
struct BundledModel {
  const char* name;   ///< of its folder, and in ModelChoice::model
  const char* about;  ///< one line
};
/// The models that come with t2v; without a model in the request it is the first.
inline constexpr std::array<BundledModel, 2> kBundledModels = {
    {{"tiny-world", "comes with t2v"}, {"tiny-world-i2v", "comes with t2v: image to video, two experts"}}};
/// The folder of a model that comes with t2v.
std::filesystem::path bundled_model(const std::string& name = kBundledModels[0].name);

}  // namespace t2v
