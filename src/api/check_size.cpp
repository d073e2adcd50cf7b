#include "api/check_size.h"

#include <algorithm>
#include <cmath>

#include "api/aspect.h"
#include "api/check_value.h"
#include "api/presets.h"
#include "core/setting.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

/// Error unless the model can make a clip of so many frames: a multiple of `step` plus 1. Names the two
/// nearest lengths.
void check_frames(int64_t num_frames, int64_t step) {
  const int64_t most = (kFrameCounts.largest - 1) / step * step + 1;
  if (num_frames >= 1 && num_frames <= kFrameCounts.largest && (num_frames - 1) % step == 0) return;
  const int64_t below = (std::clamp<int64_t>(num_frames, 1, most) - 1) / step * step + 1;
  const int64_t above = std::min(below + step, most);
  const bool between = num_frames > below && above > num_frames;
  usage_error(
      setting("num_frames"), std::to_string(num_frames),
      "a multiple of " + std::to_string(step) + " plus 1 from 1 to " + std::to_string(kFrameCounts.largest),
      "use " + std::to_string(below) + (between ? " or " + std::to_string(above) : ""));
}

/// Error unless both sides are multiples of `step`; names the nearest size of which they are.
void check_sides(int64_t width, int64_t height, int64_t step) {
  const auto nearest = [step](int64_t side) {
    const int64_t limited = std::clamp(side, kSides.smallest, kSides.largest);
    return std::clamp((limited + step / 2) / step * step, step, kSides.largest / step * step);
  };
  const auto shown = [](int64_t w, int64_t h) { return std::to_string(w) + "x" + std::to_string(h); };
  if (nearest(width) == width && nearest(height) == height) return;
  usage_error("`size` (or `width`, `height`)", shown(width, height),
              "multiples of " + std::to_string(step) + " from " + std::to_string(step) + " to " +
                  std::to_string(kSides.largest),
              "the nearest is " + shown(nearest(width), nearest(height)));
}

/// The number of frames of a duration in seconds. Error unless it is one that the model can make.
int64_t frames_of_duration(double duration, double fps, int64_t step) {
  const double frames = duration * fps;
  const int64_t below = static_cast<int64_t>(std::floor((frames - 1) / step)) * step + 1;
  for (const int64_t candidate : {below, below + step}) {
    if (candidate >= 1 && std::abs(frames - static_cast<double>(candidate)) < 1e-6) return candidate;
  }
  const auto seconds = [&](int64_t count) {
    std::string text = std::to_string(static_cast<double>(count) / fps);
    return text.substr(0, text.find_last_not_of('0') + 1);
  };
  const int64_t shorter = std::max<int64_t>(below, 1), longer = shorter + step;
  usage_error(setting("duration"), std::to_string(frames) + " frames at this rate",
              "a multiple of " + std::to_string(step) + " plus 1",
              "use `num_frames` " + std::to_string(shorter) + " or " + std::to_string(longer) +
                  ", which is `duration` " + seconds(shorter) + " or " + seconds(longer));
}

}  // namespace

CheckedSize check_size(const ClipSize& asked, const Config& preset, const Checkpoint& checkpoint) {
  const int64_t height = preset_integer(preset, "height"), width = preset_integer(preset, "width");
  const LatentGeometry geometry = checkpoint.geometry();
  const int64_t spatial = geometry.size_multiple(), temporal = geometry.temporal_factor;
  const ClipSize sides = asked.aspect ? apply_aspect(asked, height * width, spatial) : asked;
  CheckedSize size{.height = sides.height.value_or(height),
                   .width = sides.width.value_or(width),
                   .num_frames = asked.num_frames.value_or(preset_integer(preset, "num_frames")),
                   .fps = asked.fps.value_or(preset_number(preset, "fps"))};
  check_range("fps", size.fps, kFrameRates);
  check_sides(size.width, size.height, spatial);
  if (asked.duration && !asked.num_frames)
    size.num_frames = frames_of_duration(*asked.duration, size.fps, temporal);
  check_frames(size.num_frames, temporal);
  return size;
}

}  // namespace t2v
