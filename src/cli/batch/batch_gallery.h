#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace t2v {

/// One clip on the page.
struct GalleryClip {
  std::string file = {};    ///< in the folder of the page
  std::string poster = {};  ///< a picture of the clip, below the folder of the page; empty: none
  std::string prompt = {};
  std::string settings = {};  ///< JSON; empty: unknown
  std::string failure = {};   ///< why the clip failed; empty: it exists, or nobody has tried it
  bool there = false;         ///< the clip exists
};

/// An HTML page that shows clips, their prompts and settings: a single file with links below its folder,
/// which needs no network.
std::string gallery_page(const std::string& title, const std::vector<GalleryClip>& clips);

/// Error (kUsage) if the file exists and is not such a page.
void expect_gallery_page(const std::filesystem::path& file);

}  // namespace t2v
