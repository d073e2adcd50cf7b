#include <algorithm>
#include <utility>
#include <vector>

#include "media/format_writers.h"
#include "media/images/palette.h"

namespace t2v {
namespace {

/// One of 256 is left for what the encoder does not repeat from the frame before.
constexpr int64_t kMostColors = 255;
constexpr uint32_t kOpaque = 0xFF000000;

class GifWriter final : public ClipWriter {
 public:
  GifWriter(std::filesystem::path output, const ClipSettings& settings, const ChosenEncoding& encoding)
      : output_(std::move(output)), settings_(settings), encoding_(encoding) {}

  void write(const Frames& frames) override { clip_.push_back(frames); }

  void publish() override {
    Palette palette(clip_, kMostColors);
    const auto writer = make_video_file_writer(
        output_, settings_, Container::kGif, encoding_,
        [&palette](const uint8_t* rgb, AVFrame& picture) { to_indices(rgb, palette, picture); });
    for (const Frames& frames : clip_) writer->write(frames);
    writer->publish();
  }

 private:
  static void to_indices(const uint8_t* rgb, Palette& palette, AVFrame& picture) {
    const std::vector<uint8_t> indices = palette.dither(rgb, picture.height, picture.width);
    for (int y = 0; y < picture.height; ++y) {
      std::copy_n(indices.begin() + static_cast<ptrdiff_t>(y) * picture.width, picture.width,
                  picture.data[0] + static_cast<ptrdiff_t>(y) * picture.linesize[0]);
    }
    auto* stored = reinterpret_cast<uint32_t*>(picture.data[1]);
    std::fill_n(stored, AVPALETTE_COUNT, kOpaque);
    for (const Color& color : palette.colors())
      *stored++ = kOpaque | static_cast<uint32_t>(color[0] << 16 | color[1] << 8 | color[2]);
    reinterpret_cast<uint32_t*>(picture.data[1])[kMostColors] = 0;  // transparent
  }

  std::filesystem::path output_;
  ClipSettings settings_;
  ChosenEncoding encoding_;
  std::vector<Frames> clip_;
};

}  // namespace

std::unique_ptr<ClipWriter> make_gif_writer(const std::filesystem::path& output, const ClipSettings& settings,
                                            const ChosenEncoding& encoding) {
  return std::make_unique<GifWriter>(output, settings, encoding);
}

}  // namespace t2v
