#include "batch_gallery.h"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "t2v/text.h"

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

std::string escaped(const std::string& text) {
  std::string html;
  for (const char letter : escape_for_display(text)) {
    switch (letter) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += letter;
    }
  }
  return html;
}

/// A file name as part of a link.
std::string link_to(const std::string& file) {
  constexpr const char* kHex = "0123456789ABCDEF";
  std::string link;
  for (const unsigned char byte : file) {
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') ||
                       std::string_view("-_.~").find(byte) != std::string_view::npos;
    if (plain) {
      link += static_cast<char>(byte);
    } else {
      link += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return "./" + link;
}

std::string view_of(const GalleryClip& clip) {
  if (!clip.failure.empty()) return "<p class=\"failed\">" + escaped(clip.failure) + "</p>";
  if (!clip.there) return "<p class=\"failed\">not rendered yet</p>";
  const std::string extension = std::filesystem::path(clip.file).extension().string();
  const std::string link = link_to(clip.file);
  if (extension == ".png" || extension == ".gif")
    return "<img loading=\"lazy\" alt=\"\" src=\"" + link + "\">";
  // The frame in the middle is the poster.
  const std::string at = Json(clip.seconds / 2).dump();
  return "<video controls loop muted playsinline preload=\"metadata\" src=\"" + link + "#t=" + at +
         "\"></video>";
}

std::string settings_list(const std::string& settings) {
  const Json object = Json::parse(settings, nullptr, /*allow_exceptions=*/false);
  std::string html = "<details><summary>Settings</summary><dl>\n";
  for (const auto& [key, value] : object.items()) {
    if (key == "prompt" || key == "arguments") continue;
    html += "<dt>" + escaped(key) + "</dt><dd>" +
            escaped(value.is_string() ? value.get<std::string>() : value.dump()) + "</dd>\n";
  }
  return html + "</dl></details>";
}

std::string figure_of(const GalleryClip& clip) {
  const std::string link = clip.there
                               ? "<a href=\"" + link_to(clip.file) + "\">" + escaped(clip.file) + "</a>"
                               : escaped(clip.file);
  return "<figure>\n" + view_of(clip) + "\n<figcaption>" + escaped(clip.prompt) + "<br><small>" + link +
         "</small>\n" + settings_list(clip.settings) + "</figcaption>\n</figure>\n";
}

}  // namespace

std::string gallery_page(const std::string& title, const std::vector<GalleryClip>& clips) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
      escaped(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" + escaped(title) +
      "</h1>\n<p>" + std::to_string(clips.size()) + " clips</p>\n<main>\n";
  for (const GalleryClip& clip : clips) page += figure_of(clip);
  return page + "</main>\n</body>\n</html>\n";
}

}  // namespace t2v
