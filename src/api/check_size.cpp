#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "api/checks.h"
#include "api/presets.h"
#include "core/log.h"
#include "core/setting.h"
#include "t2v/error.h"
#include "t2v/limits.h"
#include "t2v/request.h"

namespace t2v {
namespace {

struct PictureSize {
  int64_t width, height;
};

std::string shown(AspectRatio aspect) {
  char text[64];
  std::snprintf(text, sizeof text, "%g:%g", aspect.width, aspect.height);
  return setting("aspect", text);
}

std::string shown(PictureSize size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

[[noreturn]] void refuse(AspectRatio aspect, const std::string& got, const std::string& expected,
                         const std::string& advice) {
  throw Error(ErrorCode::kUsage,
              {.doing = shown(aspect), .got = got, .expected = expected, .advice = advice});
}

/// The side that `given` and the ratio make; `size` puts both in order, for the error.
template <typename MakeSize>
int64_t other_side(AspectRatio aspect, const char* name, int64_t given, double ratio, int64_t step,
                   const MakeSize& size) {
  const double exact = static_cast<double>(given) * ratio;
  const int64_t side = std::llround(exact);
  if (std::abs(exact - static_cast<double>(side)) < 1e-9 * exact && side % step == 0) return side;
  const int64_t near = std::max<int64_t>((given + step / 2) / step, 1) * step;
  const int64_t below = std::max<int64_t>(static_cast<int64_t>(exact) / step, 1) * step;
  char other[32];
  std::snprintf(other, sizeof other, "%g", exact);
  refuse(aspect, setting(name, std::to_string(given)) + ", which makes the other side " + other,
         "a multiple of " + std::to_string(step),
         "use `size` " + shown(size(near, below)) + " or " + shown(size(near, below + step)));
}

/// The size with the nearest ratio that has at most `area` pixels and at least half as many; of equally near
/// sizes the largest. 0x0 if no size fits.
PictureSize nearest_size(double ratio, int64_t area, int64_t step) {
  PictureSize best{0, 0};
  double least = 0;
  for (int64_t height = area / step / step * step; height >= step; height -= step) {
    const int64_t exact =
        std::llround(static_cast<double>(height) * ratio / static_cast<double>(step)) * step;
    const int64_t width = std::min(std::max(exact, step), area / height / step * step);
    if (width < step || width * height * 2 < area || std::max(width, height) > kSides.largest) continue;
    const double off = std::abs(std::log(static_cast<double>(width) / static_cast<double>(height) / ratio));
    const bool nearer = best.width == 0 || off < least - 1e-9;
    const bool larger = off < least + 1e-9 && width * height > best.width * best.height;
    if (!nearer && !larger) continue;
    best = {width, height};
    least = off;
  }
  return best;
}

/// `asked` with a width and a height of its aspect: from the side that is given, or of at most `area` pixels,
/// which the log says. Both are multiples of `step`. Error (kUsage) if there is no such size, or both sides
/// are given.
ClipSize apply_aspect(const ClipSize& asked, int64_t area, int64_t step) {
  ClipSize size = asked;
  const AspectRatio aspect = asked.aspect.value();
  const double ratio = aspect.width / aspect.height;
  if (asked.width && asked.height) {
    refuse(aspect, "a width and a height as well", "at most one of them", "leave one of the three out");
  }
  if (asked.width) {
    size.height =
        other_side(aspect, "width", *asked.width, 1 / ratio, step, [](int64_t given, int64_t other) {
          return PictureSize{given, other};
        });
  } else if (asked.height) {
    size.width = other_side(aspect, "height", *asked.height, ratio, step, [](int64_t given, int64_t other) {
      return PictureSize{other, given};
    });
  } else {
    const PictureSize nearest = nearest_size(ratio, area, step);
    if (nearest.width == 0) {
      refuse(aspect, "no size of at most " + std::to_string(area) + " pixels, as the model's is",
             "one that is not as long and thin", "give `width` and `height`");
    }
    log_note(shown(aspect) + ": " + shown(nearest) + ", with at most the pixels of the model's own size");
    size.width = nearest.width;
    size.height = nearest.height;
  }
  return size;
}

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
