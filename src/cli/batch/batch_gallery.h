#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace t2v {

/// One clip on the page.
struct GalleryClip {
  std::string file = {};    ///< in the folder of the page
  std::string poster = {};  ///< a picture of it, there or below; empty: none
  std::string prompt = {};
  std::string settings = {};  ///< JSON; empty: not known
  std::string failure = {};   ///< why it is not there; empty: it is, or nobody has tried
  bool there = false;
};

/// A page in HTML that shows clips, their prompts and settings: one file, links relative to its folder,
/// nothing from a network.
std::string gallery_page(const std::string& title, const std::vector<GalleryClip>& clips);

/// Error (kUsage) if a file is there that is no such page.
void expect_gallery_page(const std::filesystem::path& file);

}  // namespace t2v
