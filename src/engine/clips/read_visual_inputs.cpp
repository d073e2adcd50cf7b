#include "engine/clips/read_visual_inputs.h"

#include <algorithm>
#include <cmath>

#include "core/log.h"
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

[[noreturn]] void wrong_length(const std::string& flag, int64_t got, int64_t expected,
                               const std::string& advice) {
  throw Error(ErrorCode::kUsage, {.doing = flag,
                                  .got = std::to_string(got) + " frames",
                                  .expected = std::to_string(expected),
                                  .advice = advice});
}

std::string shown(ImageSize size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

/// Tells of an image that the clip's size distorts, and of the size of about as many pixels that does not.
void warn_if_distorted(const Frames& image, const GenerateRequest& request, int64_t multiple) {
  constexpr double kVisible = 0.05;
  const auto aspect = static_cast<double>(image.width) / static_cast<double>(image.height);
  const auto wanted = static_cast<double>(*request.width) / static_cast<double>(*request.height);
  if (std::abs(std::log(aspect / wanted)) < kVisible) return;
  const auto area = static_cast<double>(*request.width * *request.height);
  const auto side = [&](double length) {
    return std::max(std::llround(length) / multiple * multiple, static_cast<long long>(multiple));
  };
  const ImageSize kept{side(std::sqrt(area / aspect)), side(std::sqrt(area * aspect))};
  log_warning("--image of " + shown({image.height, image.width}) + " is stretched to " +
              shown({*request.height, *request.width}) + "; --size " + shown(kept) +
              " is nearer to its proportions");
}

void read_control(const GenerateRequest& request, const Checkpoint& checkpoint, VisualInputs& inputs) {
  if (request.control_video.empty()) return;
  const ImageSize wanted{*request.height, *request.width};
  const int64_t factor = checkpoint.get("vae").config.integer("scale_factor_spatial", 8);
  inputs.control_video = read_video(request.control_video, *request.num_frames, [&](ImageSize size) {
    return control_video_size(size, wanted, factor, checkpoint.spatial_multiple());
  });
  const Frames& video = *inputs.control_video;
  if (video.count < *request.num_frames) {
    const int64_t multiple = checkpoint.temporal_multiple();
    wrong_length("--control-video " + request.control_video.string(), video.count, *request.num_frames,
                 "use --frames " + std::to_string((video.count - 1) / multiple * multiple + 1));
  }
  const ImageSize size{video.height, video.width};
  if (size != wanted) {
    log_warning("the control video covers " + shown(size) + " of " + shown(wanted) +
                " pixels; --size in its proportions suits it better");
  }
  if (request.control_mask.empty()) return;
  inputs.control_mask =
      read_video(request.control_mask, *request.num_frames, [&](ImageSize) { return size; });
  if (inputs.control_mask->count != video.count) {
    wrong_length("--control-mask " + request.control_mask.string(), inputs.control_mask->count, video.count,
                 "the mask is as long as the control video");
  }
}

}  // namespace

VisualInputs read_visual_inputs(const GenerateRequest& request, const Checkpoint& checkpoint) {
  VisualInputs inputs;
  inputs.image = read_optional(request.image);
  if (inputs.image) warn_if_distorted(*inputs.image, request, checkpoint.spatial_multiple());
  inputs.end_image = read_optional(request.end_image);
  for (const fs::path& file : request.reference_images) inputs.reference_images.push_back(read_image(file));
  read_control(request, checkpoint, inputs);
  return inputs;
}

}  // namespace t2v
