#include "api/checks.h"
#include "core/setting.h"
#include "families/registry.h"
#include "t2v/error.h"
#include "t2v/limits.h"

namespace t2v {
namespace {

namespace fs = std::filesystem;

/// Refuses a condition that the model does not take, and asks for one that it needs. `name` is its setting.
void check_condition(const std::string& name, bool given, Condition condition, const Checkpoint& checkpoint) {
  const AcceptedConditions accepted = checkpoint.conditions();
  if (given && accepted.of(condition) == Use::kNone)
    usage_error(setting(name), accepted.model, models_for(condition), "leave it out");
  if (!given && accepted.of(condition) == Use::kRequired)
    usage_error(setting(name), "nothing", "a picture", "this is " + accepted.model);
}

void check_images(const Conditions& conditions, int64_t num_frames, const Checkpoint& checkpoint) {
  check_condition("image", !conditions.image.empty(), Condition::kImage, checkpoint);
  check_condition("end_image", !conditions.end_image.empty(), Condition::kEndImage, checkpoint);
  if (conditions.end_image.empty() || num_frames > 1) return;
  const LatentGeometry geometry = checkpoint.geometry();
  usage_error(
      setting("end_image"), "a clip of one frame", "more frames",
      "use `num_frames` " + std::to_string(geometry.first_frames + geometry.temporal_factor) + " or more");
}

void check_control(const Conditions& conditions, const Checkpoint& checkpoint) {
  const auto check = [&](const char* name, bool given, Condition condition) {
    if (given) check_condition(name, given, condition, checkpoint);
  };
  check("control_video", !conditions.control_video.empty(), Condition::kControl);
  check("control_mask", !conditions.control_mask.empty(), Condition::kControl);
  check("reference_image", !conditions.reference_images.empty(), Condition::kReferenceImages);
  check("conditioning_scale", conditions.conditioning_scale.has_value(), Condition::kControl);
  if (!conditions.control_mask.empty() && conditions.control_video.empty())
    usage_error(setting("control_mask"), "no `control_video`", "the clip that it masks",
                "add `control_video`");
}

void check_file(const std::string& name, const fs::path& file, const char* expected) {
  if (file.empty()) return;
  std::error_code ignored;
  const fs::file_status status = fs::status(file, ignored);
  if (fs::is_regular_file(status)) return;
  const char* got = !fs::exists(status) ? "no such file" : fs::is_directory(status) ? "a folder" : "no file";
  throw Error(
      ErrorCode::kInput,
      {.doing = setting(name, file.string()), .got = got, .expected = expected, .advice = "check the path"});
}

}  // namespace

void check_experts(const CheckedSampling& sampling, const Checkpoint& checkpoint) {
  if (checkpoint.has_two_denoisers()) {
    if (sampling.boundary_ratio || checkpoint.index.has("boundary_ratio")) return;
    usage_error(setting("boundary_ratio"), "nothing", "the noise level at which the second expert takes over",
                "give a number from 0 to 1");
  }
  const auto check = [](const char* name, bool given) {
    if (given)
      usage_error(setting(name), "a model with one transformer", "one with two experts", "leave it out");
  };
  check("guidance_scale_2", sampling.guidance_scale_2.has_value());
  check("boundary_ratio", sampling.boundary_ratio.has_value());
}

void check_conditions(const Conditions& conditions, int64_t num_frames, const Checkpoint& checkpoint) {
  if (conditions.conditioning_scale)
    check_range("conditioning_scale", *conditions.conditioning_scale, kConditioningScales);
  check_images(conditions, num_frames, checkpoint);
  check_control(conditions, checkpoint);
  check_file("image", conditions.image, "a picture");
  check_file("end_image", conditions.end_image, "a picture");
  check_file("control_video", conditions.control_video, "a clip");
  check_file("control_mask", conditions.control_mask, "a clip");
  for (const fs::path& file : conditions.reference_images) check_file("reference_image", file, "a picture");
}

}  // namespace t2v
