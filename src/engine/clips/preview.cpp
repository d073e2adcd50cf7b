#include "engine/clips/preview.h"

#include <algorithm>

#include "core/log.h"
#include "core/staged_file.h"
#include "engine/interface/preview_comment.h"
#include "media/clip_writer.h"
#include "media/png_encoder.h"
#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

/// The most frames that a picture shows side by side.
constexpr int64_t kMostBesideEachOther = 4;

/// Some frames, from the first to the last, side by side.
Frames strip(const Frames& frames) {
  const int64_t count = std::min(frames.count, kMostBesideEachOther), row = 3 * frames.width;
  Frames picture{.count = 1, .height = frames.height, .width = count * frames.width, .rgb = {}};
  for (int64_t y = 0; y < frames.height; ++y) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t frame = count == 1 ? 0 : i * (frames.count - 1) / (count - 1);
      const auto begin = frames.rgb.begin() + (frame * frames.height + y) * row;
      picture.rgb.insert(picture.rgb.end(), begin, begin + row);
    }
  }
  return picture;
}

}  // namespace

Preview::Preview(const CheckedRequest& request, const RunControl& control)
    : request_(request),
      control_(control),
      wanted_(!request.outputs.preview.empty() || (request.outputs.shows_previews && control.on_preview)) {}

Preview::~Preview() {
  std::error_code ignored;
  if (begun_) std::filesystem::remove(follow_links(request_.outputs.preview), ignored);
}

std::function<void(int64_t, int64_t, const std::function<Frames()>&)> Preview::callback() {
  if (!wanted_) return {};
  return [this](int64_t done, int64_t total, const std::function<Frames()>& make) {
    if (wanted_ && done < total && done % request_.outputs.preview_interval == 0) show(make);
  };
}

void Preview::show(const std::function<Frames()>& make) {
  const auto give_up = [this](const std::string& reason) {
    wanted_ = false;
    log_warning(reason + "; no more previews are made");
  };
  try {
    const Frames frames = make();
    if (!request_.outputs.preview.empty()) write_file(frames);
    if (request_.outputs.shows_previews && control_.on_preview) {
      const Frames picture = strip(frames);
      PngEncoder encoder(picture.width, picture.height, "making a preview");
      control_.on_preview(encoder.encode(picture.rgb.data()));
    }
  } catch (const Error& error) {
    give_up(error.what());
  } catch (const Stopped&) {
    throw;
  } catch (const std::exception&) {
    give_up("there is no memory for a preview");
  }
}

void Preview::write_file(const Frames& frames) {
  // The preview is as long as the clip.
  const double share = static_cast<double>(frames.count) / static_cast<double>(request_.size.num_frames);
  const double fps = std::max(request_.size.fps * share, kFrameRates.smallest);
  const auto writer =
      make_clip_writer(request_.outputs.preview,
                       {.width = frames.width,
                        .height = frames.height,
                        .fps = fps,
                        .comment = request_.outputs.metadata ? preview_comment(request_.outputs.output) : "",
                        .frame_count = frames.count,
                        .overwrite = true});
  writer->write(frames);
  writer->publish();
  begun_ = true;
}

}  // namespace t2v
