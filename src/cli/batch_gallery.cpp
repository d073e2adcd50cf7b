#include "batch_gallery.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "format.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { margin: 2rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; }
video, img { width: 100%; aspect-ratio: 16 / 9; object-fit: contain; background: #8884; }
figcaption { overflow-wrap: anywhere; }
details { font-size: 0.85em; opacity: 0.8; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 0.8em; margin: 0.4em 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.failed { padding: 1em; background: #c442; overflow-wrap: anywhere; }
)";

/// A link to a file, by its name below the page's folder.
std::string link_to(const std::string& file) {
  constexpr const char* kHex = "0123456789ABCDEF";
  std::string link;
  for (const unsigned char byte : file) {
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') ||
                       std::string_view("-_.~/").find(byte) != std::string_view::npos;
    if (plain) {
      link += static_cast<char>(byte);
    } else {
      link += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return "./" + link;
}

std::string view_of(const GalleryClip& clip) {
  if (!clip.failure.empty()) return "<p class=\"failed\">" + in_html(clip.failure) + "</p>";
  if (!clip.there) return "<p class=\"failed\">not rendered yet</p>";
  const std::string extension = std::filesystem::path(clip.file).extension().string();
  const std::string link = link_to(clip.file), poster = clip.poster.empty() ? "" : link_to(clip.poster);
  if (extension == ".mp4" || extension == ".webm") {
    const std::string ahead =
        poster.empty() ? "preload=\"metadata\"" : "preload=\"none\" poster=\"" + poster + '"';
    return "<video controls loop muted playsinline " + ahead + " src=\"" + link + "\"></video>";
  }
  // A browser does not show the others, or all of them moving at once.
  if (poster.empty()) return "<p>no picture</p>";
  return "<a href=\"" + link + "\"><img loading=\"lazy\" alt=\"\" src=\"" + poster + "\"></a>";
}

std::string settings_list(const std::string& settings) {
  if (settings.empty()) return "";
  const Json object = Json::parse(settings, nullptr, /*allow_exceptions=*/false);
  std::string html = "<details><summary>Settings</summary><dl>\n";
  for (const auto& [key, value] : object.items()) {
    if (key == "prompt" || key == "arguments") continue;
    html += "<dt>" + in_html(key) + "</dt><dd>" +
            in_html(value.is_string() ? value.get<std::string>() : value.dump()) + "</dd>\n";
  }
  return html + "</dl></details>";
}

std::string figure_of(const GalleryClip& clip) {
  const std::string link = clip.there
                               ? "<a href=\"" + link_to(clip.file) + "\">" + in_html(clip.file) + "</a>"
                               : in_html(clip.file);
  return "<figure>\n" + view_of(clip) + "\n<figcaption>" + in_html(clip.prompt) + "<br><small>" + link +
         "</small>\n" + settings_list(clip.settings) + "</figcaption>\n</figure>\n";
}

}  // namespace

std::string gallery_page(const std::string& title, const std::vector<GalleryClip>& clips) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
      in_html(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" + in_html(title) +
      "</h1>\n<p>" + count_of_clips(clips.size()) + "</p>\n<main>\n";
  for (const GalleryClip& clip : clips) page += figure_of(clip);
  return page + "</main>\n</body>\n</html>\n";
}

}  // namespace t2v
