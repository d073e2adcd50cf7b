#include "media/clip_reader.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "media/formats/output_format.h"
#include "media/image_reader.h"
#include "media/video_reader.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// Whether a file begins as pictures do; what else it may be, VideoReader tells.
bool is_picture(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return false;  // a FIFO must not hang here
  std::string head(12, '\0');
  std::ifstream(file, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
  const bool webp = head.starts_with("RIFF") && head.ends_with("WEBP");
  constexpr std::array<std::string_view, 3> kBegins = {"\x89PNG\r\n\x1A\n", "\xFF\xD8\xFF", "BM"};
  return webp || std::any_of(kBegins.begin(), kBegins.end(),
                             [&head](std::string_view begin) { return head.starts_with(begin); });
}

/// The names of numbered pictures, if that is what `clip` stands for.
std::optional<SequenceNames> sequence_of(const fs::path& clip) {
  std::error_code ignored;
  if (fs::exists(clip, ignored) || clip.extension() != ".png") return std::nullopt;
  SequenceNames names(clip, /*frame_count=*/2);
  if (!fs::exists(names.frame(1), ignored)) return std::nullopt;
  return names;
}

}  // namespace

ClipReader::ClipReader(const fs::path& clip) {
  if (const auto names = sequence_of(clip)) {
    next_ = [names = *names, number = int64_t{0}](bool wanted) mutable -> std::optional<Frames> {
      std::error_code ignored;
      const fs::path file = names.frame(++number);
      if (!fs::exists(file, ignored)) return std::nullopt;
      return wanted ? read_image(file) : Frames{};
    };
  } else if (is_picture(clip)) {
    next_ = [picture = std::optional(read_image(clip))](bool /*wanted*/) mutable {
      return std::exchange(picture, std::nullopt);
    };
  } else {
    const auto reader = std::make_shared<VideoReader>(clip);
    next_ = [reader](bool wanted) -> std::optional<Frames> {
      if (!reader->next()) return std::nullopt;
      return wanted ? reader->frame() : Frames{};
    };
  }
}

std::optional<Frames> ClipReader::next() { return next_(true); }

bool ClipReader::skip() { return next_(false).has_value(); }

}  // namespace t2v
