#include "media/formats/encoding.h"

#include <algorithm>
#include <vector>

#include "core/setting.h"
#include "core/text.h"
#include "media/formats/formats.h"
#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

using Words = std::vector<std::string>;

bool contains(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void check_word(const std::string& name, const std::string& word, const Words& words) {
  if (contains(words, word)) return;
  const std::string meant = closest_match(word, words);
  throw Error(ErrorCode::kUsage, {.doing = setting(name),
                                  .got = "\"" + word + "\"",
                                  .expected = one_of(words),
                                  .advice = meant.empty() ? "" : "did you mean " + meant + "?"});
}

std::string renamed(const std::filesystem::path& output, const char* extension) {
  return "name it " + std::filesystem::path(output).replace_extension(extension).filename().string();
}

const Codec& choose_codec(const std::filesystem::path& output, const OutputOptions& options) {
  const ContainerFormat& format = format_of(output_container(output));
  const bool lossless = options.quality == "lossless";
  if (options.codec.empty()) {
    const bool ffv1 = lossless && contains(format.codecs, "ffv1");
    const Codec& codec = codec_named(ffv1 ? "ffv1" : format.codecs.front());
    if (!lossless || codec.lossless) return codec;
    throw Error(ErrorCode::kUsage, {.doing = setting("output", output.string()),
                                    .got = std::string(format.extension) + " with `quality` lossless",
                                    .expected = describe_lossless_containers(),
                                    .advice = renamed(output, ".mkv")});
  }
  check_word("codec", options.codec, codec_names());
  const Codec& codec = codec_named(options.codec);
  if (!contains(format.codecs, codec.name)) {
    throw Error(ErrorCode::kUsage, {.doing = setting("codec", options.codec),
                                    .got = "the output " + output.string(),
                                    .expected = one_of(format.codecs) + " in " + format.extension,
                                    .advice = renamed(output, container_for(codec).extension)});
  }
  if (lossless && !codec.lossless) {
    throw Error(ErrorCode::kUsage, {.doing = setting("codec", options.codec),
                                    .got = "`quality` lossless",
                                    .expected = "ffv1",
                                    .advice = "leave `codec` out"});
  }
  return codec;
}

void check_crf(const Codec& codec, int64_t crf) {
  if (codec.crf && crf >= 0 && crf <= codec.crf->largest) return;
  const std::string doing = setting("crf", std::to_string(crf));
  if (codec.crf) {
    throw Error(
        ErrorCode::kUsage,
        {.doing = doing, .got = codec.title, .expected = "0 to " + std::to_string(codec.crf->largest)});
  }
  Words titles;
  for (const Codec& other : codecs())
    if (other.crf) titles.emplace_back(other.title);
  throw Error(ErrorCode::kUsage, {.doing = doing,
                                  .got = std::string(codec.title) + ", which has no such scale",
                                  .expected = one_of(titles),
                                  .advice = "leave `crf` out"});
}

/// A GIF counts hundredths of a second, and players slow down what shows a picture for less than two.
void check_rate(const Codec& codec, double fps) {
  constexpr double kFastestGif = 50;
  if (codec.kind != CodecKind::kGif || fps <= kFastestGif) return;
  throw Error(ErrorCode::kUsage, {.doing = setting("fps", std::to_string(fps)),
                                  .got = "a .gif",
                                  .expected = "at most 50 frames a second",
                                  .advice = "write .mp4 or .webm"});
}

}  // namespace

ChosenEncoding choose_encoding(const std::filesystem::path& output, const OutputOptions& options) {
  check_word("quality", options.quality, quality_names());
  const Codec& codec = choose_codec(output, options);
  if (!options.pix_fmt.empty()) check_word("pix_fmt", options.pix_fmt, pix_fmt_names());
  if (!options.pix_fmt.empty() && !contains(codec.pix_fmts, options.pix_fmt)) {
    throw Error(ErrorCode::kUsage, {.doing = setting("pix_fmt", options.pix_fmt),
                                    .got = codec.title,
                                    .expected = one_of(codec.pix_fmts),
                                    .advice = "leave `pix_fmt` out or choose another `codec`"});
  }
  if (options.crf) check_crf(codec, *options.crf);
  check_rate(codec, options.fps);

  ChosenEncoding encoding{.codec = codec.name,
                          .pix_fmt = options.pix_fmt.empty() ? codec.pix_fmts.front() : options.pix_fmt,
                          .quality = options.quality,
                          .lossless = codec.lossless};
  if (codec.crf) encoding.crf = options.crf.value_or(*codec.crf.*quality_named(options.quality).crf);
  return encoding;
}

}  // namespace t2v
