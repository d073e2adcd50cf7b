#include "batch_gallery.h"

#include <fstream>
#include <string_view>

#include <nlohmann/json.hpp>

#include "cli/flags/usage_error.h"
#include "cli/screen/format.h"
#include "core/text.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The beginning of every page.
constexpr std::string_view kHead =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"generator\" content=\"t2v batch\">\n";

constexpr const char* kStyle = R"(
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { margin: 2rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; }
video, img { width: 100%; object-fit: contain; background: #8884; }
figcaption { overflow-wrap: anywhere; }
details { font-size: 0.85em; opacity: 0.8; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 0.8em; margin: 0.4em 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.failed { padding: 1em; background: #c442; overflow-wrap: anywhere; }
)";

/// Text for an HTML page, also inside quotes. Control characters are escaped as for a terminal.
std::string in_html(const std::string& text) {
  std::string html;
  for (const char letter : escape_for_display(text)) {
    html += letter == '&'    ? "&amp;"
            : letter == '<'  ? "&lt;"
            : letter == '>'  ? "&gt;"
            : letter == '"'  ? "&quot;"
            : letter == '\'' ? "&#39;"
                             : std::string(1, letter);
  }
  return html;
}

/// A link to a file below the folder of the page.
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

/// The aspect ratio of a clip, so that the page does not move when the picture is loaded; "" if unknown.
std::string style_of(const Json& settings) {
  const auto side = [&](const char* key) {
    const auto found = settings.find(key);
    return found != settings.end() && found->is_number_unsigned() ? found->dump() : "";
  };
  const std::string width = side("width"), height = side("height");
  return width.empty() || height.empty() ? "" : " style=\"aspect-ratio: " + width + " / " + height + '"';
}

std::string view_of(const GalleryClip& clip, const Json& settings) {
  if (!clip.failure.empty()) return "<p class=\"failed\">" + in_html(clip.failure) + "</p>";
  if (!clip.there) return "<p class=\"failed\">not rendered yet</p>";
  const std::string extension = fs::path(clip.file).extension().string(), style = style_of(settings);
  const std::string link = link_to(clip.file), poster = clip.poster.empty() ? "" : link_to(clip.poster);
  if (extension == ".mp4" || extension == ".webm") {
    const std::string ahead =
        poster.empty() ? "preload=\"metadata\"" : "preload=\"none\" poster=\"" + poster + '"';
    return "<video controls loop muted playsinline" + style + ' ' + ahead + " src=\"" + link + "\"></video>";
  }
  // Browsers do not play the other formats, and would play every .gif at once.
  if (poster.empty()) return "<p>no picture</p>";
  return "<a href=\"" + link + "\"><img loading=\"lazy\" alt=\"\"" + style + " src=\"" + poster + "\"></a>";
}

std::string settings_list(const Json& settings) {
  if (settings.empty()) return "";
  std::string html = "<details><summary>Settings</summary><dl>\n";
  for (const auto& [key, value] : settings.items()) {
    if (key == "prompt" || key == "arguments") continue;
    html += "<dt>" + in_html(key) + "</dt><dd>" +
            in_html(value.is_string() ? value.get<std::string>() : value.dump()) + "</dd>\n";
  }
  return html + "</dl></details>";
}

std::string figure_of(const GalleryClip& clip) {
  const Json known = Json::parse(clip.settings, nullptr, /*allow_exceptions=*/false);
  const Json settings = known.is_object() ? known : Json::object();
  const std::string link = clip.there
                               ? "<a href=\"" + link_to(clip.file) + "\">" + in_html(clip.file) + "</a>"
                               : in_html(clip.file);
  return "<figure>\n" + view_of(clip, settings) + "\n<figcaption>" + in_html(clip.prompt) + "<br><small>" +
         link + "</small>\n" + settings_list(settings) + "</figcaption>\n</figure>\n";
}

}  // namespace

std::string gallery_page(const std::string& title, const std::vector<GalleryClip>& clips) {
  std::string page = std::string(kHead) + "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
                     in_html(title) + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" +
                     in_html(title) + "</h1>\n<p>" + count_of_clips(clips.size()) + "</p>\n<main>\n";
  for (const GalleryClip& clip : clips) page += figure_of(clip);
  return page + "</main>\n</body>\n</html>\n";
}

void expect_gallery_page(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(file, ignored))) return;
  std::string head(kHead.size(), '\0');
  if (fs::is_regular_file(file, ignored)) {  // opening a FIFO would wait
    std::ifstream(file, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
  }
  if (head == kHead) return;
  refuse("--gallery: " + file.string(), "a file that t2v did not write",
         "none, or the page of an earlier batch", "move it, or use another folder");
}

}  // namespace t2v
