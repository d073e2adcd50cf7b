#include "media/clip_writer.h"

#include <utility>

#include "media/format_writers.h"
#include "media/formats/output_format.h"
#include "media/libav.h"
#include "media/video_encoder.h"

namespace t2v {
namespace {

/// Holds the caller to its word, so that no writer has to: frames of the size, and as many, as the settings
/// say.
class CheckedWriter final : public ClipWriter {
 public:
  CheckedWriter(std::unique_ptr<ClipWriter> writer, const ClipSettings& settings)
      : writer_(std::move(writer)), settings_(settings) {}

  void write(const Frames& frames) override {
    const auto size = static_cast<size_t>(3 * frames.count * frames.height * frames.width);
    if (frames.width != settings_.width || frames.height != settings_.height || frames.rgb.size() != size) {
      throw Error(ErrorCode::kBug, {.doing = "writing frames", .got = "frames of another size"});
    }
    count_ += frames.count;
    if (count_ > settings_.frame_count) check_count();
    writer_->write(frames);
  }

  void publish() override {
    check_count();
    writer_->publish();
  }

 private:
  void check_count() const {
    if (count_ == settings_.frame_count) return;
    throw Error(ErrorCode::kBug, {.doing = "writing frames",
                                  .got = std::to_string(count_) + " frames",
                                  .expected = std::to_string(settings_.frame_count)});
  }

  std::unique_ptr<ClipWriter> writer_;
  ClipSettings settings_;
  int64_t count_ = 0;
};

OutputOptions output_options(const ClipSettings& settings) {
  return {.quality = settings.quality,
          .crf = settings.crf,
          .codec = settings.codec,
          .pix_fmt = settings.pix_fmt,
          .fps = settings.fps,
          .overwrite = settings.overwrite,
          .frame_count = settings.frame_count,
          .settings_file = !settings.comment.empty()};
}

std::unique_ptr<ClipWriter> make_writer(const std::filesystem::path& output, const ClipSettings& settings,
                                        const ChosenEncoding& encoding) {
  switch (const Container container = output_container(output)) {
    case Container::kPngSequence:
      return make_png_sequence_writer(output, settings);
    case Container::kGif:
      return make_gif_writer(output, settings, encoding);
    default:
      return make_video_file_writer(output, settings, container, encoding);
  }
}

}  // namespace

std::unique_ptr<ClipWriter> make_clip_writer(const std::filesystem::path& output,
                                             const ClipSettings& settings) {
  redirect_libav_log();
  const OutputOptions options = output_options(settings);
  check_output(output, options);
  const ChosenEncoding encoding = choose_encoding(output, options);
  return std::make_unique<CheckedWriter>(make_writer(output, settings, encoding), settings);
}

void expect_encoder(const std::filesystem::path& output, const ClipSettings& settings) {
  redirect_libav_log();
  if (output_container(output) == Container::kPngSequence) return;
  const ChosenEncoding encoding = choose_encoding(output, output_options(settings));
  const VideoEncoder encoder(settings, encoding, "writing " + output.string(), /*global_header=*/false,
                             [](const uint8_t* /*rgb*/, AVFrame& /*picture*/) {});
}

std::string libav_versions() {
  const auto described = [](const char* name, uint32_t version) {
    return std::string(name) + " " + std::to_string(AV_VERSION_MAJOR(version)) + "." +
           std::to_string(AV_VERSION_MINOR(version)) + "." + std::to_string(AV_VERSION_MICRO(version));
  };
  return described("libavcodec", avcodec_version()) + ", " + described("libavformat", avformat_version()) +
         ", " + described("libswscale", swscale_version());
}

}  // namespace t2v
