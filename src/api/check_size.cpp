#include "api/check_size.h"

#include <algorithm>
#include <cmath>

#include "api/aspect.h"
#include "api/check_value.h"
#include "api/presets.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

/// Error unless `value` is k * step + offset with k >= 1 (or k >= 0 where offset > 0); names the two nearest
/// that are.
void check_grid(const std::string& flag, int64_t value, int64_t step, int64_t offset, int64_t largest) {
  const int64_t smallest = offset > 0 ? offset : step;
  const auto nearest = [&](int64_t wanted) {
    return std::clamp((wanted - offset) / step * step + offset, smallest,
                      (largest - offset) / step * step + offset);
  };
  if (value >= smallest && value <= largest && (value - offset) % step == 0) return;
  const int64_t below = nearest(std::min(std::max(value, smallest), largest));
  const int64_t above = nearest(std::min(below + step, largest));
  const std::string rule =
      "a multiple of " + std::to_string(step) + (offset > 0 ? " plus " + std::to_string(offset) : "");
  const bool between = value > below && above > value;
  usage_error(flag, std::to_string(value),
              rule + " from " + std::to_string(smallest) + " to " + std::to_string(largest),
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
  usage_error("--size (or --width, --height)", shown(width, height),
              "multiples of " + std::to_string(step) + " from " + std::to_string(step) + " to " +
                  std::to_string(kSides.largest),
              "the nearest is " + shown(nearest(width), nearest(height)));
}

/// The number of frames of a duration in seconds. Error unless the model can make a clip of that length.
int64_t frames_of_duration(double duration, double fps, int64_t temporal_multiple) {
  const double frames = duration * fps;
  const int64_t below =
      static_cast<int64_t>(std::floor((frames - 1) / temporal_multiple)) * temporal_multiple + 1;
  for (const int64_t candidate : {below, below + temporal_multiple}) {
    if (candidate >= 1 && std::abs(frames - static_cast<double>(candidate)) < 1e-6) return candidate;
  }
  const auto seconds = [&](int64_t count) {
    std::string text = std::to_string(static_cast<double>(count) / fps);
    return text.substr(0, text.find_last_not_of('0') + 1);
  };
  usage_error("--duration", std::to_string(frames) + " frames at this rate",
              "a multiple of " + std::to_string(temporal_multiple) + " plus 1",
              "use --frames " + std::to_string(std::max<int64_t>(below, 1)) + " or " +
                  std::to_string(std::max<int64_t>(below, 1) + temporal_multiple) + ", which is --duration " +
                  seconds(std::max<int64_t>(below, 1)) + " or " +
                  seconds(std::max<int64_t>(below, 1) + temporal_multiple));
}

int64_t decide_frames(const ClipSize& asked, double fps, const Config& preset, int64_t temporal_multiple) {
  if (!asked.num_frames && asked.duration) return frames_of_duration(*asked.duration, fps, temporal_multiple);
  const int64_t num_frames = asked.num_frames.value_or(preset_integer(preset, "num_frames"));
  check_grid("--frames", num_frames, temporal_multiple, 1, kFrameCounts.largest);
  return num_frames;
}

}  // namespace

CheckedSize check_size(const ClipSize& asked, const Config& preset, const Checkpoint& checkpoint) {
  const int64_t preset_height = preset_integer(preset, "height"),
                preset_width = preset_integer(preset, "width");
  const int64_t multiple = checkpoint.spatial_multiple();
  const ClipSize sides = asked.aspect ? apply_aspect(asked, preset_height * preset_width, multiple) : asked;
  CheckedSize size{.height = sides.height.value_or(preset_height),
                   .width = sides.width.value_or(preset_width),
                   .fps = asked.fps.value_or(preset_number(preset, "fps"))};
  check_range("--fps", size.fps, kFrameRates);
  check_sides(size.width, size.height, multiple);
  size.num_frames = decide_frames(asked, size.fps, preset, checkpoint.temporal_multiple());
  return size;
}

}  // namespace t2v
