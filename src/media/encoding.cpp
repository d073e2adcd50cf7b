#include "media/encoding.h"

#include <algorithm>
#include <vector>

#include "t2v/error.h"
#include "t2v/limits.h"
#include "t2v/text.h"

namespace t2v {
namespace {

using Words = std::vector<std::string>;

/// A codec's own scale of quality: the largest value, and what the words stand for.
struct CrfScale {
  int64_t largest, draft, good, high;
};

struct Codec {
  const char* name;
  const char* shown;
  Words pix_fmts;  ///< the first unless told
  std::optional<CrfScale> crf = {};
  bool lossless = false;
};

const Words kYuv = {"yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"};

const std::vector<Codec> kAll = {
    {.name = "h264", .shown = "H.264", .pix_fmts = kYuv, .crf = CrfScale{51, 23, 16, 10}},
    {.name = "h265", .shown = "H.265", .pix_fmts = kYuv, .crf = CrfScale{51, 25, 16, 10}},
    {.name = "vp9", .shown = "VP9", .pix_fmts = kYuv, .crf = CrfScale{63, 38, 22, 12}},
    {.name = "prores", .shown = "ProRes", .pix_fmts = {"yuv422p10le", "yuv444p10le"}},
    {.name = "ffv1", .shown = "FFV1", .pix_fmts = {"bgr0"}, .lossless = true},
    {.name = "gif", .shown = "GIF", .pix_fmts = {"pal8"}},
    {.name = "png", .shown = "PNG", .pix_fmts = {"rgb24"}, .lossless = true},
};

struct ContainerRules {
  Container container;
  const char* extension;
  Words codecs;  ///< the first unless told
};

const std::vector<ContainerRules> kContainers = {
    {Container::kMp4, ".mp4", {"h264", "h265"}},
    {Container::kMkv, ".mkv", {"h264", "h265", "vp9", "prores", "ffv1"}},
    {Container::kWebm, ".webm", {"vp9"}},
    {Container::kMov, ".mov", {"prores", "h264", "h265"}},
    {Container::kGif, ".gif", {"gif"}},
    {Container::kPngSequence, ".png", {"png"}},
};

bool contains(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// "a", "a or b", "a, b or c"
std::string one_of(const Words& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

const Codec& codec_named(const std::string& name) {
  return *std::find_if(kAll.begin(), kAll.end(), [&](const Codec& codec) { return name == codec.name; });
}

const ContainerRules& rules_of(Container container) {
  return *std::find_if(kContainers.begin(), kContainers.end(),
                       [&](const ContainerRules& rules) { return rules.container == container; });
}

/// One that the codec is for, or else one that holds it.
const ContainerRules& container_for(const Codec& codec) {
  const auto find = [](const auto& condition) {
    return std::find_if(kContainers.begin(), kContainers.end(), condition);
  };
  const auto its_own = find([&](const ContainerRules& rules) { return rules.codecs.front() == codec.name; });
  if (its_own != kContainers.end()) return *its_own;
  return *find([&](const ContainerRules& rules) { return contains(rules.codecs, codec.name); });
}

void check_word(const std::string& flag, const std::string& word, const Words& words) {
  if (contains(words, word)) return;
  const std::string meant = closest_match(word, words);
  throw Error(ErrorCode::kUsage, {.doing = flag,
                                  .got = "\"" + word + "\"",
                                  .expected = one_of(words),
                                  .advice = meant.empty() ? "" : "did you mean " + meant + "?"});
}

std::string renamed(const std::filesystem::path& output, const char* extension) {
  return "name it " + std::filesystem::path(output).replace_extension(extension).filename().string();
}

const Codec& choose_codec(const std::filesystem::path& output, const OutputOptions& options) {
  const ContainerRules& rules = rules_of(output_container(output));
  const bool lossless = options.quality == "lossless";
  if (options.codec.empty()) {
    const bool ffv1 = lossless && contains(rules.codecs, "ffv1");
    const Codec& codec = codec_named(ffv1 ? "ffv1" : rules.codecs.front());
    if (!lossless || codec.lossless) return codec;
    throw Error(ErrorCode::kUsage, {.doing = "--output " + output.string(),
                                    .got = std::string(rules.extension) + " with --quality lossless",
                                    .expected = ".mkv or .png",
                                    .advice = renamed(output, ".mkv")});
  }
  check_word("--codec", options.codec, kCodecs);
  const Codec& codec = codec_named(options.codec);
  if (!contains(rules.codecs, codec.name)) {
    throw Error(ErrorCode::kUsage, {.doing = "--codec " + options.codec,
                                    .got = "the output " + output.string(),
                                    .expected = one_of(rules.codecs) + " in " + rules.extension,
                                    .advice = renamed(output, container_for(codec).extension)});
  }
  if (lossless && !codec.lossless) {
    throw Error(ErrorCode::kUsage, {.doing = "--codec " + options.codec,
                                    .got = "--quality lossless",
                                    .expected = "ffv1",
                                    .advice = "leave --codec out"});
  }
  return codec;
}

void check_crf(const Codec& codec, int64_t crf) {
  if (codec.crf && crf >= 0 && crf <= codec.crf->largest) return;
  const std::string doing = "--crf " + std::to_string(crf);
  if (codec.crf) {
    throw Error(
        ErrorCode::kUsage,
        {.doing = doing, .got = codec.shown, .expected = "0 to " + std::to_string(codec.crf->largest)});
  }
  throw Error(ErrorCode::kUsage, {.doing = doing,
                                  .got = std::string(codec.shown) + ", which has no such scale",
                                  .expected = "H.264, H.265 or VP9",
                                  .advice = "leave --crf out"});
}

/// A GIF counts hundredths of a second, and players slow down what shows a picture for less than two.
void check_rate(const Codec& codec, double fps) {
  constexpr double kFastestGif = 50;
  if (codec.name != std::string("gif") || fps <= kFastestGif) return;
  throw Error(ErrorCode::kUsage, {.doing = "--fps " + std::to_string(fps),
                                  .got = "a .gif",
                                  .expected = "at most 50 frames a second",
                                  .advice = "write .mp4 or .webm"});
}

}  // namespace

ChosenEncoding choose_encoding(const std::filesystem::path& output, const OutputOptions& options) {
  check_word("--quality", options.quality, kQualities);
  const Codec& codec = choose_codec(output, options);
  if (!options.pix_fmt.empty()) check_word("--pix-fmt", options.pix_fmt, kPixFmts);
  if (!options.pix_fmt.empty() && !contains(codec.pix_fmts, options.pix_fmt)) {
    throw Error(ErrorCode::kUsage, {.doing = "--pix-fmt " + options.pix_fmt,
                                    .got = codec.shown,
                                    .expected = one_of(codec.pix_fmts),
                                    .advice = "leave --pix-fmt out or choose another --codec"});
  }
  if (options.crf) check_crf(codec, *options.crf);
  check_rate(codec, options.fps);

  ChosenEncoding encoding{.codec = codec.name,
                          .pix_fmt = options.pix_fmt.empty() ? codec.pix_fmts.front() : options.pix_fmt,
                          .quality = options.quality,
                          .lossless = codec.lossless};
  if (codec.crf) {
    const CrfScale& scale = *codec.crf;
    encoding.crf = options.crf.value_or(options.quality == "draft"  ? scale.draft
                                        : options.quality == "high" ? scale.high
                                                                    : scale.good);
  }
  return encoding;
}

}  // namespace t2v
