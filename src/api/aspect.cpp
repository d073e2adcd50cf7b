#include "api/aspect.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/log.h"
#include "core/setting.h"
#include "t2v/error.h"
#include "t2v/limits.h"

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

/// Of the sizes with at most `area` pixels, and at least half of them, the one whose ratio is nearest, of
/// equals the largest. 0x0 if there is none.
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

}  // namespace

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

}  // namespace t2v
