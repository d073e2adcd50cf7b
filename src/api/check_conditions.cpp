#include "api/check_conditions.h"

#include "api/check_value.h"
#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// What a checkpoint wants of a flag.
enum class Wants { kNothing, kOptional, kRequired };

/// `model`: what the checkpoint is; `suitable`: what would be needed instead.
void check_wanted(const std::string& flag, bool given, Wants wants, const std::string& model,
                  const std::string& suitable) {
  if (given && wants == Wants::kNothing) usage_error(flag, model, suitable, "leave it out");
  if (!given && wants == Wants::kRequired) usage_error(flag, "nothing", "a picture", "this is " + model);
}

void check_images(const Conditions& conditions, int64_t num_frames, const Checkpoint& checkpoint) {
  const Config& transformer = checkpoint.get("transformer").config;
  Wants image = Wants::kNothing, end_image = Wants::kNothing;
  std::string model = "a text-to-video model";
  if (checkpoint.expand_timesteps) {
    image = Wants::kOptional;
    model = "a model for text or a first image";
  } else if (checkpoint.pipeline == PipelineClass::kWanImageToVideo) {
    image = Wants::kRequired;
    model = "an image-to-video model";
    if (transformer.has("pos_embed_seq_len")) {
      end_image = Wants::kRequired;
      model = "a first-and-last-frame model";
    } else if (!transformer.has("image_dim")) {
      end_image = Wants::kOptional;
    }
  } else if (checkpoint.pipeline == PipelineClass::kWanVACE) {
    model = "a VACE model";
  }
  check_wanted("--image", !conditions.image.empty(), image, model, "an image-to-video model");
  check_wanted("--end-image", !conditions.end_image.empty(), end_image, model,
               "a first-and-last-frame model (FLF2V), or Wan2.2 I2V");
  if (!conditions.end_image.empty() && num_frames < 2)
    usage_error("--end-image", "a clip of one frame", "more frames", "use --frames 5 or more");
  const bool sees_images = image != Wants::kNothing && transformer.has("image_dim");
  if (sees_images) checkpoint.get("image_encoder");
}

void check_control(const Conditions& conditions, const Checkpoint& checkpoint) {
  const Wants control = checkpoint.pipeline == PipelineClass::kWanVACE ? Wants::kOptional : Wants::kNothing;
  const auto check = [&](const char* flag, bool given) {
    check_wanted(flag, given, control, "a " + pipeline_class_name(checkpoint.pipeline), "a VACE model");
  };
  check("--control-video", !conditions.control_video.empty());
  check("--control-mask", !conditions.control_mask.empty());
  check("--reference-image", !conditions.reference_images.empty());
  check("--conditioning-scale", conditions.conditioning_scale.has_value());
  if (!conditions.control_mask.empty() && conditions.control_video.empty())
    usage_error("--control-mask", "no --control-video", "the clip that it masks", "add --control-video");
}

void check_file(const std::string& flag, const fs::path& file, const char* expected) {
  if (file.empty()) return;
  std::error_code ignored;
  const fs::file_status status = fs::status(file, ignored);
  if (fs::is_regular_file(status)) return;
  const char* got = !fs::exists(status) ? "no such file" : fs::is_directory(status) ? "a folder" : "no file";
  throw Error(
      ErrorCode::kInput,
      {.doing = flag + " " + file.string(), .got = got, .expected = expected, .advice = "check the path"});
}

}  // namespace

void check_experts(const CheckedSampling& sampling, const Checkpoint& checkpoint) {
  if (checkpoint.has("transformer_2")) {
    if (sampling.boundary_ratio || checkpoint.boundary_ratio) return;
    usage_error("--boundary-ratio", "nothing", "where the second expert takes over",
                "0.875 suits Wan2.2 T2V, 0.9 Wan2.2 I2V");
  }
  const auto check = [](const char* flag, bool given) {
    check_wanted(flag, given, Wants::kNothing, "a model with one transformer", "one with two experts");
  };
  check("--guidance-scale-2", sampling.guidance_scale_2.has_value());
  check("--boundary-ratio", sampling.boundary_ratio.has_value());
}

void check_conditions(const Conditions& conditions, int64_t num_frames, const Checkpoint& checkpoint) {
  if (conditions.conditioning_scale)
    check_range("--conditioning-scale", *conditions.conditioning_scale, kConditioningScales);
  check_images(conditions, num_frames, checkpoint);
  check_control(conditions, checkpoint);
  check_file("--image", conditions.image, "a picture");
  check_file("--end-image", conditions.end_image, "a picture");
  check_file("--control-video", conditions.control_video, "a clip");
  check_file("--control-mask", conditions.control_mask, "a clip");
  for (const fs::path& file : conditions.reference_images) check_file("--reference-image", file, "a picture");
}

}  // namespace t2v
