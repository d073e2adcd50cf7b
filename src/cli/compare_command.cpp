#include <cmath>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/screen/format.h"
#include "cli/screen/progress.h"
#include "cli/screen/streams.h"
#include "commands.h"
#include "t2v/compare.h"

namespace t2v {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDescription =
    R"(t2v compare: the difference between two clips, or between two files of latents.

Examples
  t2v compare old.mp4 new.mp4
  t2v compare reference.mkv clip.mkv --fail-under 40
  t2v compare frames-%04d.png clip.mkv --json
  t2v compare one.safetensors other.safetensors

Usage
  t2v compare A B [flags]

)";

constexpr const char* kNotes = R"(
A clip is a video file, a picture, or numbered pictures (their pattern
clip-%04d.png, or the name that -o had). Frames are compared in RGB and counted
from 1. If one clip is longer, only the frames that both have are compared.
Clips of different sizes are an error.

PSNR is computed over all frames together, in dB. SSIM is the mean over the
frames; it uses BT.709 luma and Gaussian windows of 11x11 pixels (sigma 1.5).
For .safetensors files, distance is |a - b| / |a|, and SNR is -20 log10 of it,
in dB.

The exit code is 0 whatever the result is. With --fail-under it is 8 if PSNR or
SNR is below the limit, or if one clip is longer.

Standard output with --json, for clips:
  {"kind": "clips", "width", "height", "frames": [A, B], "psnr", "worst_psnr",
   "worst_frame", "ssim", "largest_difference", "largest_frame",
   "first_difference"}
and for tensors:
  {"kind": "tensors", "numbers", "relative_distance", "snr",
   "largest_difference", "largest_tensor"}
A value is null if it is infinite or if there is no such frame or tensor.
)";

constexpr Range<double> kDecibels{0, 1000};

std::string decibels(double value) {
  return std::isinf(value) && value > 0 ? "infinite" : formatted("%.2f dB", value);
}

std::string describe(const ClipComparison& clips) {
  std::string frames = std::to_string(clips.frames_a) + " frames";
  if (clips.frames_a != clips.frames_b) frames += " and " + std::to_string(clips.frames_b);
  frames += " of " + std::to_string(clips.width) + "x" + std::to_string(clips.height) + '\n';
  if (clips.first_difference == 0) return frames + "equal\n";
  std::string text = frames + "PSNR                " + decibels(clips.psnr);
  if (clips.worst_psnr < clips.psnr)
    text += "; of frame " + std::to_string(clips.worst_frame) + " " + decibels(clips.worst_psnr);
  if (clips.ssim) text += "\nSSIM                " + formatted("%.5f", *clips.ssim);
  text += "\nlargest difference  " + std::to_string(clips.largest_difference) + " of 255 levels";
  if (clips.largest_frame > 0) text += ", in frame " + std::to_string(clips.largest_frame);
  return text + "\nfirst difference    frame " + std::to_string(clips.first_difference) + '\n';
}

std::string describe(const TensorComparison& tensors) {
  const std::string numbers = std::to_string(tensors.numbers) + " numbers\n";
  if (tensors.largest_tensor.empty()) return numbers + "equal\n";
  return numbers + "distance            " + formatted("%.3g", tensors.relative_distance) +
         "\nSNR                 " + decibels(tensors.snr) + "\nlargest difference  " +
         formatted("%.3g", tensors.largest_difference) + ", in " + tensors.largest_tensor + '\n';
}

/// A number, or null for an infinite one, which JSON does not have.
Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json frame_or_null(int64_t frame) { return frame > 0 ? Json(frame) : Json(nullptr); }

Json to_json(const ClipComparison& clips) {
  return {{"kind", "clips"},
          {"width", clips.width},
          {"height", clips.height},
          {"frames", {clips.frames_a, clips.frames_b}},
          {"psnr", finite(clips.psnr)},
          {"worst_psnr", finite(clips.worst_psnr)},
          {"worst_frame", clips.worst_frame},
          {"ssim", clips.ssim ? Json(*clips.ssim) : Json(nullptr)},
          {"largest_difference", clips.largest_difference},
          {"largest_frame", frame_or_null(clips.largest_frame)},
          {"first_difference", frame_or_null(clips.first_difference)}};
}

Json to_json(const TensorComparison& tensors) {
  const bool equal = tensors.largest_tensor.empty();
  return {{"kind", "tensors"},
          {"numbers", tensors.numbers},
          {"relative_distance", finite(tensors.relative_distance)},
          {"snr", finite(tensors.snr)},
          {"largest_difference", tensors.largest_difference},
          {"largest_tensor", equal ? Json(nullptr) : Json(tensors.largest_tensor)}};
}

/// Why the comparison fails --fail-under; "" if it passes.
std::string failure_of(const Comparison& comparison, double least) {
  const double got = comparison.decibels();
  if (got < least) return decibels(got) + " is below " + formatted("%g dB", least);
  const bool longer = comparison.clips && comparison.clips->frames_a != comparison.clips->frames_b;
  return longer ? std::to_string(comparison.clips->frames_a) + " frames and " +
                      std::to_string(comparison.clips->frames_b)
                : "";
}

struct Arguments {
  std::filesystem::path a, b;
  std::optional<double> fail_under;
};

int run(const Invocation& invocation, const Arguments& arguments, Progress& progress) {
  const Comparison comparison = compare(arguments.a, arguments.b, make_run_control(progress));
  progress.summarize(true);
  if (invocation.json) {
    print_json(comparison.clips ? to_json(*comparison.clips) : to_json(*comparison.tensors));
  } else {
    print(comparison.clips ? describe(*comparison.clips) : describe(*comparison.tensors));
  }
  const std::string failed = arguments.fail_under ? failure_of(comparison, *arguments.fail_under) : "";
  if (failed.empty()) return 0;
  progress.fail(kExitNotPassed, "--fail-under: " + failed);
  return kExitNotPassed;
}

}  // namespace

Command compare_command() {
  const auto arguments = std::make_shared<Arguments>();
  return {.name = "compare",
          .summary = "Measures the difference between two clips",
          .description = kDescription,
          .notes = kNotes,
          .operands = {path_flag({"A"}, "PATH", "A clip, or a .safetensors file", arguments->a),
                       path_flag({"B"}, "PATH", "The other clip or file", arguments->b)},
          .flags = {{"Limit",
                     {number_flag(
                         {"--fail-under"},
                         "Exit with code 8 if PSNR or SNR is below this many dB; 1000 allows no difference",
                         kDecibels, arguments->fail_under)}}},
          .run = [arguments](const Invocation& invocation, Progress& progress) {
            return run(invocation, *arguments, progress);
          }};
}

}  // namespace t2v
