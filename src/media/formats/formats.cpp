#include "media/formats/formats.h"

#include <algorithm>

#include "core/text.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

const std::vector<std::string> kYuv = {"yuv420p",     "yuv422p",     "yuv444p",
                                       "yuv420p10le", "yuv422p10le", "yuv444p10le"};

/// The first entry of a table that fits; the end if none does.
template <typename Table, typename Condition>
auto find_in(const Table& table, const Condition& condition) {
  return std::find_if(table.begin(), table.end(), condition);
}

template <typename Table>
std::vector<std::string> names_in(const Table& table) {
  std::vector<std::string> names;
  for (const auto& entry : table) names.emplace_back(entry.name);
  return names;
}

bool holds(const ContainerFormat& format, const Codec& codec) {
  return std::find(format.codecs.begin(), format.codecs.end(), codec.name) != format.codecs.end();
}

const std::vector<Quality>& qualities() {
  static const std::vector<Quality> all = {
      {"draft", &CrfScale::draft, "veryfast", "5", "lt"},
      {"good", &CrfScale::good, "medium", "3", "hq"},
      {"high", &CrfScale::high, "slow", "1", "hq"},
      {"lossless", &CrfScale::good, "medium", "3", "hq"},
  };
  return all;
}

}  // namespace

const std::vector<ContainerFormat>& container_formats() {
  static const std::vector<ContainerFormat> all = {
      {Container::kMp4, ".mp4", "mp4", "+faststart", {"h264", "h265"}},
      {Container::kMkv, ".mkv", "matroska", "", {"h264", "h265", "vp9", "prores", "ffv1"}},
      {Container::kWebm, ".webm", "webm", "", {"vp9"}},
      // QuickTime's own comments end after 65,535 bytes.
      {Container::kMov, ".mov", "mov", "+faststart+use_metadata_tags", {"prores", "h264", "h265"}},
      {Container::kGif, ".gif", "gif", "", {"gif"}},
      {Container::kPngSequence, ".png", "", "", {"png"}},
  };
  return all;
}

const std::vector<Codec>& codecs() {
  using enum CodecKind;
  static const std::vector<Codec> all = {
      {kH264, "h264", "H.264", "libx264", kYuv, CrfScale{51, 23, 16, 10}},
      {kH265, "h265", "H.265", "libx265", kYuv, CrfScale{51, 25, 16, 10}},
      {kVp9, "vp9", "VP9", "libvpx-vp9", kYuv, CrfScale{63, 38, 22, 12}},
      {kProRes, "prores", "ProRes", "prores_ks", {"yuv422p10le", "yuv444p10le"}},
      {kFfv1, "ffv1", "FFV1", "ffv1", {"bgr0"}, {}, /*lossless=*/true},
      {kGif, "gif", "GIF", "gif", {"pal8"}},
      {kPng, "png", "PNG", "png", {"rgb24"}, {}, /*lossless=*/true},
  };
  return all;
}

const ContainerFormat& format_of(Container container) {
  return *find_in(container_formats(),
                  [&](const ContainerFormat& format) { return format.container == container; });
}

const Codec& codec_named(const std::string& name) {
  return *find_in(codecs(), [&](const Codec& codec) { return name == codec.name; });
}

const ContainerFormat& container_for(const Codec& codec) {
  const std::vector<ContainerFormat>& all = container_formats();
  const auto its_own =
      find_in(all, [&](const ContainerFormat& format) { return format.codecs[0] == codec.name; });
  if (its_own != all.end()) return *its_own;
  return *find_in(all, [&](const ContainerFormat& format) { return holds(format, codec); });
}

const Quality& quality_named(const std::string& name) {
  return *find_in(qualities(), [&](const Quality& quality) { return name == quality.name; });
}

const std::vector<std::string>& quality_names() {
  static const std::vector<std::string> names = names_in(qualities());
  return names;
}

/// Matroska holds every codec that can be chosen.
const std::vector<std::string>& codec_names() { return format_of(Container::kMkv).codecs; }

const std::vector<std::string>& pix_fmt_names() { return kYuv; }

std::string describe_containers() {
  std::string text;
  std::vector<std::string> told;
  for (const ContainerFormat& format : container_formats()) {
    const Codec& codec = codec_named(format.codecs[0]);
    const bool known = std::find(told.begin(), told.end(), codec.name) != told.end() ||
                       format.extension == std::string(".") + codec.name;
    text.append(text.empty() ? "" : ", ").append(format.extension);
    if (!known) text.append(" (").append(codec.title).append(")");
    told.emplace_back(codec.name);
  }
  return text;
}

std::string describe_lossless_containers() {
  std::vector<std::string> extensions;
  for (const ContainerFormat& format : container_formats()) {
    const auto is_lossless = [&](const Codec& codec) { return codec.lossless && holds(format, codec); };
    if (find_in(codecs(), is_lossless) != codecs().end()) extensions.emplace_back(format.extension);
  }
  return one_of(extensions);
}

std::string describe_crf_scales() {
  std::string text;
  for (const Codec& codec : codecs()) {
    if (!codec.crf) continue;
    const auto& [largest, draft, good, high] = *codec.crf;
    text += (text.empty() ? "" : "; ") + std::to_string(draft) + ", " + std::to_string(good) + " and " +
            std::to_string(high) + " of " + std::to_string(largest) + " for " + codec.title;
  }
  return text;
}

}  // namespace t2v
