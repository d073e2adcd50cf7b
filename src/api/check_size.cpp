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

/// Numbers of frames that the model can make: "a multiple of 4 plus 1".
std::string frame_rule(const LatentGeometry& geometry) {
  const int64_t rest = geometry.first_frames % geometry.temporal_factor;
  return "a multiple of " + std::to_string(geometry.temporal_factor) +
         (rest == 0 ? "" : " plus " + std::to_string(rest));
}

/// Error unless the model can make a clip of so many frames. Names the two nearest lengths.
void check_frames(int64_t num_frames, const LatentGeometry& geometry) {
  const int64_t most = geometry.frames_within(kFrameCounts.largest);
  if (num_frames <= kFrameCounts.largest && geometry.allows(num_frames)) return;
  const int64_t below = geometry.frames_within(std::min(num_frames, most));
  const int64_t above = std::min(below + geometry.temporal_factor, most);
  const bool between = num_frames > below && above > num_frames;
  usage_error(setting("num_frames"), std::to_string(num_frames),
              frame_rule(geometry) + " from " + std::to_string(geometry.first_frames) + " to " +
                  std::to_string(kFrameCounts.largest),
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
int64_t frames_of_duration(double duration, double fps, const LatentGeometry& geometry) {
  const double frames = duration * fps;
  const int64_t step = geometry.temporal_factor, first = geometry.first_frames;
  const int64_t below =
      static_cast<int64_t>(std::floor((frames - static_cast<double>(first)) / static_cast<double>(step))) *
          step +
      first;
  for (const int64_t candidate : {below, below + step}) {
    if (candidate >= first && std::abs(frames - static_cast<double>(candidate)) < 1e-6) return candidate;
  }
  const auto seconds = [&](int64_t count) {
    std::string text = std::to_string(static_cast<double>(count) / fps);
    return text.substr(0, text.find_last_not_of('0') + 1);
  };
  const int64_t shorter = std::max(below, first), longer = shorter + step;
  usage_error(setting("duration"), std::to_string(frames) + " frames at this rate", frame_rule(geometry),
              "use `num_frames` " + std::to_string(shorter) + " or " + std::to_string(longer) +
                  ", which is `duration` " + seconds(shorter) + " or " + seconds(longer));
}

}  // namespace

CheckedSize check_size(const ClipSize& asked, const Config& preset, const Checkpoint& checkpoint) {
  const int64_t height = preset_integer(preset, "height"), width = preset_integer(preset, "width");
  const LatentGeometry geometry = checkpoint.geometry();
  const int64_t spatial = geometry.size_multiple();
  const ClipSize sides = asked.aspect ? apply_aspect(asked, height * width, spatial) : asked;
  CheckedSize size{.height = sides.height.value_or(height),
                   .width = sides.width.value_or(width),
                   .num_frames = asked.num_frames.value_or(preset_integer(preset, "num_frames")),
                   .fps = asked.fps.value_or(preset_number(preset, "fps"))};
  check_range("fps", size.fps, kFrameRates);
  check_sides(size.width, size.height, spatial);
  if (asked.duration && !asked.num_frames)
    size.num_frames = frames_of_duration(*asked.duration, size.fps, geometry);
  check_frames(size.num_frames, geometry);
  return size;
}

}  // namespace t2v
