#include "engine/clips/read_visual_inputs.h"

#include <algorithm>
#include <cmath>

#include "core/log.h"
#include "core/setting.h"
#include "media/image_reader.h"
#include "media/images/image_resize.h"
#include "media/video_reader.h"
#include "t2v/error.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

std::optional<Frames> read_optional(const fs::path& file) {
  if (file.empty()) return std::nullopt;
  return read_image(file);
}

[[noreturn]] void wrong_length(const std::string& doing, int64_t got, int64_t expected,
                               const std::string& advice) {
  throw Error(ErrorCode::kUsage, {.doing = doing,
                                  .got = std::to_string(got) + " frames",
                                  .expected = std::to_string(expected),
                                  .advice = advice});
}

std::string shown(ImageSize size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

/// Warns of an image that the clip's size distorts, and names a size of similar area without distortion.
void warn_if_distorted(const Frames& image, const CheckedSize& size, int64_t multiple) {
  constexpr double kVisible = 0.05;
  const auto aspect = static_cast<double>(image.width) / static_cast<double>(image.height);
  const auto wanted = static_cast<double>(size.width) / static_cast<double>(size.height);
  if (std::abs(std::log(aspect / wanted)) < kVisible) return;
  const auto area = static_cast<double>(size.width * size.height);
  const auto side = [&](double length) {
    return std::max(std::llround(length) / multiple * multiple, static_cast<long long>(multiple));
  };
  const ImageSize kept{side(std::sqrt(area / aspect)), side(std::sqrt(area * aspect))};
  log_warning("`image` of " + shown({image.height, image.width}) + " is stretched to " +
              shown({size.height, size.width}) + "; `size` " + shown(kept) + " is nearer to its proportions");
}

void read_control(const Conditions& conditions, const CheckedSize& clip, const Checkpoint& checkpoint,
                  VisualInputs& inputs) {
  if (conditions.control_video.empty()) return;
  const ImageSize wanted{clip.height, clip.width};
  const LatentGeometry geometry = checkpoint.geometry();
  inputs.control_video = read_video(conditions.control_video, clip.num_frames, [&](ImageSize size) {
    return control_video_size(size, wanted, geometry.spatial_factor, geometry.size_multiple());
  });
  const Frames& video = *inputs.control_video;
  if (video.count < clip.num_frames) {
    wrong_length(setting("control_video", conditions.control_video.string()), video.count, clip.num_frames,
                 "use `num_frames` " + std::to_string(geometry.frames_within(video.count)));
  }
  const ImageSize size{video.height, video.width};
  if (size != wanted) {
    log_warning("the control video covers " + shown(size) + " of " + shown(wanted) +
                " pixels; `size` in its proportions suits it better");
  }
  if (conditions.control_mask.empty()) return;
  inputs.control_mask = read_video(conditions.control_mask, clip.num_frames, [&](ImageSize) { return size; });
  if (inputs.control_mask->count != video.count) {
    wrong_length(setting("control_mask", conditions.control_mask.string()), inputs.control_mask->count,
                 video.count, "give a mask with as many frames as the control video");
  }
}

}  // namespace

VisualInputs read_visual_inputs(const Conditions& conditions, const CheckedSize& size,
                                const Checkpoint& checkpoint) {
  VisualInputs inputs;
  inputs.image = read_optional(conditions.image);
  if (inputs.image) warn_if_distorted(*inputs.image, size, checkpoint.geometry().size_multiple());
  inputs.end_image = read_optional(conditions.end_image);
  for (const fs::path& file : conditions.reference_images)
    inputs.reference_images.push_back(read_image(file));
  read_control(conditions, size, checkpoint, inputs);
  return inputs;
}

}  // namespace t2v
